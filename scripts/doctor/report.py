"""The diagnosis for people and for programs."""

import json
from collections.abc import Iterator
from itertools import groupby

from scripts.doctor.diagnosis import Diagnosis
from scripts.doctor.findings import Finding, State

_COLOURS = {State.OK: 32, State.BAD: 31, State.NOTE: 33, State.OFF: 90}


def as_text(diagnosis: Diagnosis, *, coloured: bool) -> str:
    """A line for each finding, the cure below what is bad, the verdict at the end."""
    lines: list[str] = []
    for group, findings in groupby(diagnosis.findings, key=lambda finding: finding.group):
        lines += ["", f"{group[0].upper()}{group[1:]}"]
        for finding in findings:
            lines += _lines(finding, coloured=coloured)
    colour = State.OK if diagnosis.is_well else State.BAD
    return "\n".join([*lines[1:], "", _painted(diagnosis.verdict, colour, coloured=coloured), ""])


def as_json(diagnosis: Diagnosis) -> str:
    """The same as one object; milliseconds are null where nothing was asked."""
    findings = [
        {
            "group": each.group,
            "part": each.part,
            "state": each.state.value,
            "where": each.where,
            "says": each.says,
            "version": each.version,
            "milliseconds": None if each.seconds is None else round(each.seconds * 1000, 1),
            "cure": each.cure,
        }
        for each in diagnosis.findings
    ]
    return f"{json.dumps({'well': diagnosis.is_well, 'verdict': diagnosis.verdict, 'findings': findings}, indent=2)}\n"


def _lines(finding: Finding, *, coloured: bool) -> Iterator[str]:
    took = f"{finding.seconds * 1000:.0f} ms" if finding.seconds is not None else ""
    facts = [fact for fact in (finding.where, took, finding.version, finding.says) if fact]
    state = _painted(f"{finding.state.value:<4}", finding.state, coloured=coloured)
    yield f"  {state}  {finding.part:<22} {'  '.join(facts)}"
    if finding.cure:
        yield f"        {'':<22} -> {finding.cure}"


def _painted(text: str, state: State, *, coloured: bool) -> str:
    return f"\x1b[{_COLOURS[state]}m{text}\x1b[0m" if coloured else text
