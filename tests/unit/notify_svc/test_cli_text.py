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
def test_an_age_is_told_in_its_largest_unit(seconds: float, words: str) -> None:
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
def test_what_a_terminal_would_obey_is_escaped_wherever_it_stands(bad: str) -> None:
    letter = dead_letters_pb2.DeadLetter(
        key=f"1{bad}", reason=f"a{bad}", detail=f"b{bad}", event_id=f"c{bad}", channel=f"d{bad}"
    )
    answer = dead_letters_pb2.ReplayDeadLettersResponse(not_replayable_keys=[f"e{bad}"])
    written = text.listed([letter], 0) + text.replayed(answer, [])
    assert all(line.isprintable() for line in written.split("\n"))
    assert written.count("\n") == 9  # and no line more


def test_what_can_be_seen_is_left_as_it_is() -> None:
    assert text.plain("Käse 🧀 \\ 'x'") == "Käse 🧀 \\ 'x'"


def test_columns_stand_below_each_other() -> None:
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


def test_where_there_are_none_it_says_so_kindly() -> None:
    assert text.listed([], 0) == "There are no dead letters: everything could be handled.\n"


def test_numbers_are_told_with_what_was_passed_over() -> None:
    replayed = dead_letters_pb2.ReplayDeadLettersResponse(replayed_count=1, not_replayable_keys=["2-0"])
    assert text.replayed(replayed, ["1-0", "2-0", "3-0", "3-0"]).splitlines() == [
        "Replayed 1 dead letter.",
        "These cannot be replayed, and stay: too little of the event was kept, or their channel is no longer",
        "there, or just at work on them.",
        "  2-0",
        "Keys without a dead letter, or with one that was delivered meanwhile: 1.",
    ]
    discarded = dead_letters_pb2.DiscardDeadLettersResponse(discarded_count=2)
    assert text.discarded(discarded, []) == "Discarded 2 dead letters.\n"
    assert text.discarded(discarded, ["1", "2", "3"]).splitlines()[1] == "Keys without a dead letter: 1."
