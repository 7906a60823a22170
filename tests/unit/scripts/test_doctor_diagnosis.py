"""The verdict on what doctor finds, and its two forms."""

import json
from dataclasses import replace

import pytest

from scripts.doctor.findings import DEV, MACHINE, PORTS, UP, Finding, Report, State, judge

_MACHINE = Finding(group=MACHINE, part="Python", says="python3", version="3.11")
_TAKEN = Finding(group=PORTS, part="EDGE_PORT", state=State.BAD, says="taken", cure="stop it")
_EDGE = Finding(group=DEV, part="edge_api", says="works", milliseconds=1.0)
_SLOW = replace(_EDGE, state=State.BAD, says="does not answer")
_CONTAINER = Finding(group=UP, part="edge-api", says="healthy")
_BROKEN = replace(_CONTAINER, state=State.BAD)


@pytest.mark.parametrize(
    ("findings", "dev_runs", "well", "verdict"),
    [
        ([_MACHINE, _TAKEN], False, False, "Nothing is running."),
        ([_EDGE], True, True, "All is well: `make dev` is running."),
        ([_SLOW], True, False, "`make dev` is running, but"),
        ([_CONTAINER, _TAKEN, _SLOW], False, True, "All is well: `make up` is running."),
        ([_BROKEN], False, False, "`make up` is running, but"),
        ([_CONTAINER, _EDGE, _TAKEN], True, False, "`make dev` and `make up` are running, but"),
    ],
)
def test_only_problems_of_what_runs_count(findings: list[Finding], dev_runs: bool, well: bool, verdict: str) -> None:
    report = judge(findings, dev_runs=dev_runs)
    assert report.well is well
    assert report.verdict.startswith(verdict)


def test_the_text_has_the_cures_and_colours_only_on_a_terminal() -> None:
    report = Report([_MACHINE, _TAKEN], well=False, verdict="Not well.")
    assert report.as_text(coloured=False).splitlines() == [
        "Machine",
        "  ok    Python                 3.11  python3",
        "",
        "Ports of make dev",
        "  bad   EDGE_PORT              taken",
        "                               -> stop it",
        "",
        "Not well.",
    ]
    assert "\x1b[31mbad \x1b[0m" in report.as_text(coloured=True)


def test_the_json_has_a_stable_form() -> None:
    report = json.loads(Report([_EDGE], well=True, verdict="Well.").as_json())
    edge = {"group": DEV, "part": "edge_api", "state": "ok", "where": "", "says": "works", "version": "", "cure": ""}
    assert report == {"well": True, "verdict": "Well.", "findings": [{**edge, "milliseconds": 1.0}]}
