import pytest
from notify.v1 import dead_letters_pb2

from notify_svc.cli import text as text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (0.9, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (7200, "2 h"),
        (86_400, "1 d"),
        (40 * 86_400, "40 d"),
    ],
)
def test_an_age_is_shown_in_its_largest_unit(seconds: float, words: str) -> None:
    assert text.age(seconds) == words


@pytest.mark.parametrize(
    "bad",
    [
        "\x1b[2J",
        "\x1b]0;title\x07",
        "\r",
        "\n",
        "\t",
        "\b",
        "\0",
        "\x7f",
        "\x9b31m",
        "\u202e",
        "\u2028",
        "\u200b",
        "\ue000",
    ],
)
def test_control_sequences_are_escaped_in_every_field(bad: str) -> None:
    letter = dead_letters_pb2.DeadLetter(
        key=f"1{bad}", reason=f"a{bad}", detail=f"b{bad}", event_id=f"c{bad}", channel=f"d{bad}"
    )
    response = dead_letters_pb2.ReplayDeadLettersResponse(not_replayable_keys=[f"e{bad}"])
    written = text.listed([letter], 0) + text.replayed(response, [])
    assert all(line.isprintable() for line in written.split("\n"))
    assert written.count("\n") == 8


def test_printable_text_is_unchanged() -> None:
    assert text.plain("Käse 🧀 \\ 'x'") == "Käse 🧀 \\ 'x'"


def test_columns_are_aligned() -> None:
    letters = [
        dead_letters_pb2.DeadLetter(key="1-0", reason="gave_up", detail="no", attempts=8, channel="mail", event_id="x"),
        dead_letters_pb2.DeadLetter(key="1795000000000-0", reason="malformed", detail="bad", attempts=1),
    ]
    heading, first, no, second, bad, empty, count, _ = text.listed(letters, 180).split("\n")
    assert [heading.index(word) for word in ("AGE", "REASON", "ATTEMPTS", "CHANNEL", "EVENT ID")] == [
        first.index(word) for word in ("3 min", "gave_up", "8", "mail", "x")
    ]
    assert second == "1795000000000-0  3 min  malformed  1         -        -"
    assert (no, bad, empty, count) == ("  no", "  bad", "", "2 dead letters.")


def test_an_empty_list_is_reported() -> None:
    assert text.listed([], 0) == "There are no dead letters.\n"


def test_ignored_keys_are_counted() -> None:
    replayed = dead_letters_pb2.ReplayDeadLettersResponse(replayed_count=1, not_replayable_keys=["2-0"])
    assert text.replayed(replayed, ["1-0", "2-0", "3-0", "3-0"]).splitlines() == [
        "Replayed 1 dead letter.",
        "Not replayed (event not stored, channel not configured, or delivery in progress):",
        "  2-0",
        "Ignored keys (no dead letter, or delivered in the meantime): 1.",
    ]
    discarded = dead_letters_pb2.DiscardDeadLettersResponse(discarded_count=2)
    assert text.discarded(discarded, []) == "Discarded 2 dead letters.\n"
    assert text.discarded(discarded, ["1", "2", "3"]).splitlines()[1] == "Ignored keys (no dead letter): 1."
