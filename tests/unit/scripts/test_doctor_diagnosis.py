"""What findings come to, and how they are told."""

import json

import pytest

from scripts.doctor import report
from scripts.doctor.diagnosis import Diagnosis, judge
from scripts.doctor.findings import Finding, State


def _dev(part: str, state: State, seconds: float | None = None) -> Finding:
    return Finding("make dev", part, state, "says", seconds=seconds)


_MACHINE = Finding("machine", "Python", State.OK, "python3", version="3.11")
_EDGE_UP, _EDGE_OFF = _dev("edge_api", State.OK, 0.001), _dev("edge_api", State.OFF)
_TASK_OFF, _TASK_HANGS = _dev("task_svc", State.OFF), _dev("task_svc", State.BAD)
_QUEUE_UP = _dev("queue", State.OK, 0.001)
_TAKEN = Finding("ports of make dev", "EDGE_PORT", State.BAD, "taken", "end that")
_UP, _UP_BAD = (Finding("make up", "edge-api", state, "says") for state in (State.OK, State.BAD))


@pytest.mark.parametrize(
    ("findings", "is_well", "verdict"),
    [
        ([_MACHINE, _EDGE_OFF, _TASK_OFF], False, "Nothing is running."),
        ([_EDGE_OFF, _QUEUE_UP], False, "Nothing is running."),  # a queue alone may be anybody's
        ([_EDGE_OFF, _TASK_HANGS], False, "Nothing is running."),
        ([_EDGE_UP], True, "All is well: `make dev` is running."),
        ([_EDGE_UP, _TASK_OFF], False, "`make dev` is running, and not all is well."),
        ([_EDGE_UP, _TASK_HANGS], False, "`make dev` is running, and not all is well."),
        ([_UP, _EDGE_OFF, _TASK_OFF], True, "All is well: `make up` is running."),
        ([_UP, _TAKEN, _TASK_HANGS], True, "All is well: `make up` is running."),
        ([_UP_BAD], False, "`make up` is running, and not all is well."),
        ([_UP, _EDGE_UP, _TAKEN], False, "`make dev` and `make up` are running, and not all is well."),
    ],
)
def test_what_is_off_is_bad_only_where_the_rest_runs(findings: list[Finding], is_well: bool, verdict: str) -> None:
    diagnosis = judge(findings)
    assert diagnosis.is_well is is_well
    assert diagnosis.verdict.startswith(verdict)


def test_what_is_off_beside_what_runs_gets_a_cure() -> None:
    _, task = judge([_EDGE_UP, _TASK_OFF]).findings
    assert task.state is State.BAD
    assert "start make dev again" in task.cure


def test_people_get_lines_with_cures_and_colours_only_where_they_are_seen() -> None:
    diagnosis = Diagnosis([_MACHINE, _TAKEN], is_well=False, verdict="Not well.")
    text = report.as_text(diagnosis, coloured=False)
    assert text.splitlines() == [
        "Machine",
        "  ok    Python                 3.11  python3",
        "",
        "Ports of make dev",
        "  bad   EDGE_PORT              taken",
        "                               -> end that",
        "",
        "Not well.",
    ]
    assert "\x1b[31mbad \x1b[0m" in report.as_text(diagnosis, coloured=True)


def test_programs_get_the_same_as_json() -> None:
    told = json.loads(report.as_json(Diagnosis([_EDGE_UP, _MACHINE], is_well=True, verdict="Well.")))
    assert (told["well"], told["verdict"]) == (True, "Well.")
    assert told["findings"][0]["milliseconds"] == 1.0
    assert told["findings"][1] | {"says": ""} == {
        "group": "machine",
        "part": "Python",
        "state": "ok",
        "where": "",
        "says": "",
        "version": "3.11",
        "milliseconds": None,
        "cure": "",
    }
