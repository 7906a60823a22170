"""A Finding is the result of one probe or check. A Report is all of them, with the verdict."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import groupby

MACHINE, UP, PORTS, DEV = "machine", "make up", "ports of make dev", "make dev"
"""The groups of findings."""


class State(StrEnum):
    """BAD is a problem, NOTE is none for what runs, OFF is a part that does not run."""

    OK = "ok"
    BAD = "bad"
    NOTE = "note"
    OFF = "off"


_COLOURS = {State.OK: 32, State.BAD: 31, State.NOTE: 33, State.OFF: 90}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the report, and one object of its JSON."""

    group: str = ""
    part: str = ""
    state: State = State.OK
    where: str = ""
    says: str = ""
    version: str = ""
    milliseconds: float | None = None
    cure: str = ""


class Problem(Exception):
    """A probe or a check does not find what it expects. The message becomes one line."""

    def __init__(self, says: str, cure: str = "", state: State = State.BAD) -> None:
        super().__init__(says)
        self.finding = Finding(state=state, says=" ".join(says.split()), cure=cure)


async def run(probe: Callable[[], Awaitable[object]], seconds: float, cure: str, repeats: int = 1) -> Finding:
    """Return the finding of a probe, with the time of its fastest run. A probe that returns none is OK.

    All runs together have `seconds`. `cure` is the advice after a timeout or an unexpected error.
    """
    times = []
    try:
        async with asyncio.timeout(seconds):
            for _ in range(repeats):
                begun = time.perf_counter()
                result = await probe()
                times.append(time.perf_counter() - begun)
    except Problem as problem:
        return problem.finding
    except TimeoutError:
        return Problem(f"does not answer within {seconds:g} s", cure).finding
    except Exception as error:
        return Problem(f"{type(error).__name__}: {error}", cure).finding
    return replace(result, milliseconds=round(min(times) * 1000, 1)) if isinstance(result, Finding) else Finding()


@dataclass(frozen=True)
class Report:
    """The findings in the order in which they are shown."""

    findings: Sequence[Finding]
    well: bool
    verdict: str
    running: Sequence[str] = ()
    """DEV, UP, both or none."""

    def as_text(self, *, coloured: bool) -> str:
        """Return a line for each finding, by group; each cure is below its finding; the verdict is last."""

        def painted(text: str, state: State) -> str:
            return f"\x1b[{_COLOURS[state]}m{text}\x1b[0m" if coloured else text

        def lines(finding: Finding) -> Iterator[str]:
            took = "" if finding.milliseconds is None else f"{finding.milliseconds:.0f} ms"
            facts = "  ".join(fact for fact in (finding.where, took, finding.version, finding.says) if fact)
            gap = " " if len(finding.part) <= 22 else f"\n{'':<31}"
            yield f"  {painted(f'{finding.state:<4}', finding.state)}  {finding.part:<22}{gap}{facts}".rstrip()
            if finding.cure:
                yield f"        {'':<22} -> {finding.cure}"

        text = ""
        for group, findings in groupby(self.findings, key=lambda finding: finding.group):
            text += "\n".join([group.capitalize(), *(line for each in findings for line in lines(each)), "", ""])
        return text + painted(self.verdict, State.OK if self.well else State.BAD) + "\n"

    def as_json(self) -> str:
        """Return the same as one JSON object."""
        findings = [asdict(finding) for finding in self.findings]
        return json.dumps({"well": self.well, "verdict": self.verdict, "findings": findings}, indent=2) + "\n"


def judge(findings: Sequence[Finding], *, dev_runs: bool) -> Report:
    """Return the report on the whole system."""
    up_runs = any(finding.group == UP for finding in findings)
    if not dev_runs and not up_runs:
        verdict = "Nothing is running. Start the system with `make dev`, or in containers with `make up`."
        return Report(findings, well=False, verdict=verdict)
    if not dev_runs:  # the containers need neither the packages nor the ports of `make dev`
        findings = [
            replace(each, state=State.NOTE) if each.state is State.BAD and each.group != UP else each
            for each in findings
        ]
    well = all(finding.state is not State.BAD for finding in findings)
    running = [group for group, runs in ((DEV, dev_runs), (UP, up_runs)) if runs]
    names = " and ".join(f"`{group}`" for group in running) + (" is running" if len(running) == 1 else " are running")
    return Report(findings, well, f"All is well: {names}." if well else f"{names}, but not all is well.", running)
