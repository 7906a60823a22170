"""The output of commands is compared with the page, without the parts that differ between runs."""

import pytest

from scripts.docs_check import console
from tests.course.docs_runner import rehearse

_PAGE = """```console
$ one \\
    two
out
$ three
```

<!-- not run: needs Docker -->
```console
$ make up
```

```console
notify_svc | told
```

<!-- not run: takes minutes -->
```console
$ make test
```
"""


def test_a_page_is_read_into_commands_with_their_output() -> None:
    first, second, third, fourth = console.blocks(_PAGE)
    assert first.steps == [console.Step("one \\\n    two", ["out"]), console.Step("three", [])]
    reasons = [block.not_run for block in (first, second, third, fourth)]
    assert reasons == [None, "needs Docker", None, "takes minutes"]
    assert third.steps == [console.Step("", ["notify_svc | told"])]


@pytest.mark.parametrize(
    ("shown", "written"),
    [
        ("201 Created", "201 Created\n"),
        ('{"id":"01M87Y3FCRGBHCFMM6ABAEMFC6"}', '{"id":"01M87Y3FCRGBHCFMM6ABAEMFC7"}'),
        ("at 2026-11-25T03:01:02.123456Z", "at 2027-01-01T00:00:00Z"),
        ("ok  6 ms", "ok  12.5 ms"),
        ("id: 1795562782112-0", "id: 1795562782113-7"),
        ("held by process 1", "held by process 4242"),
        ("ready", "\x1b[32mready\x1b[0m"),
        ("a … c", "a b b c"),
        ("first\n…\nlast", "first\nsecond\nthird\nlast"),
        ("first\n…\nlast", "first\nlast"),
        ("…\nlast", "last"),
        ("first\n…", "first"),
        ("", "\n\n"),
    ],
)
def test_equal_output_matches(shown: str, written: str) -> None:
    assert console.matches(shown.splitlines(), written)


@pytest.mark.parametrize(
    ("shown", "written"),
    [
        ("201 Created", "422 Unprocessable"),
        ("201 Created", "201 Created\nand more"),
        ("201 Created", ""),
        ("", "an error"),
        ("a … c", "a\nc"),
        ("first\n…\nlast", "first\nsecond"),
        ('{"revision":1}', '{"revision":2}'),
        ("port 8000", "port 8001"),
    ],
)
def test_different_output_does_not_match(shown: str, written: str) -> None:
    assert not console.matches(shown.splitlines(), written)


def test_lines_among_those_of_other_processes_match_in_this_order() -> None:
    lines = ["task_svc | rpc duration=0.2", "edge_api | request", "notify_svc | told"]
    assert console.is_in(["task_svc | rpc duration=0.1", "…", "notify_svc | told"], lines)
    assert not console.is_in(["notify_svc | told", "task_svc | rpc duration=0.1"], lines)
    assert not console.is_in(["notify_svc | gone"], lines)


def test_a_page_is_rewritten_with_the_actual_output() -> None:
    block = next(console.blocks(_PAGE))
    made = console.rewritten(_PAGE, block, ["new\n", "\x1b[1mtoo\x1b[0m"])
    assert made.startswith("```console\n$ one \\\n    two\nnew\n$ three\ntoo\n```\n")
    assert made.endswith(_PAGE[block.end :])


def test_following_a_page_reports_differences_and_returns_the_corrected_page() -> None:
    written = {"one \\\n    two": "other\n", "three": ""}
    made, differences = rehearse(_PAGE, lambda block: (written.get(step.command, "lost") for step in block.steps))
    assert "\nother\n$ three\n" in made
    assert "notify_svc | told" not in made
    assert "$ make up\n" in made
    assert [difference.splitlines()[0] for difference in differences] == ["$ one \\", "$ (make dev)"]


def test_following_a_correct_page_changes_nothing() -> None:
    written = {"one \\\n    two": "out\n", "three": ""}
    shown = "notify_svc | told"
    made, differences = rehearse(_PAGE, lambda block: (written.get(step.command, shown) for step in block.steps))
    assert (made, differences) == (_PAGE, [])
