"""What all findings come to: which way of running it is in use, what is bad about it, and whether all is well."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scripts.doctor.docker import GROUP as UP
from scripts.doctor.findings import Finding, State
from scripts.doctor.ports import GROUP as PORTS

DEV = "make dev"
SERVICES = ("gateway", "edge_api", "task_svc", "notify_svc")
_OFF = "make dev has ended with it, or what is here is of another start: start make dev again"


@dataclass(frozen=True)
class Diagnosis:
    """All findings, and what they come to."""

    findings: Sequence[Finding]
    is_well: bool
    verdict: str


def judge(found: Sequence[Finding]) -> Diagnosis:
    """Weighs each finding by what runs: what is off is bad only where the rest of its way of running is not."""
    runs = [group for group, does_run in ((DEV, _dev_runs(found)), (UP, _up_runs(found))) if does_run]
    findings = [_weighed(finding, runs) for finding in found]
    if not runs:
        verdict = "Nothing is running. Start it with `make dev`, or in containers with `make up`."
        return Diagnosis(findings, is_well=False, verdict=verdict)
    is_well = all(finding.state is not State.BAD for finding in findings)
    running = " and ".join(f"`{group}`" for group in runs) + (" are running" if len(runs) > 1 else " is running")
    verdict = f"All is well: {running}." if is_well else f"{running}, and not all is well."
    return Diagnosis(findings, is_well, verdict)


def _dev_runs(found: Sequence[Finding]) -> bool:
    """Whether a service has answered; one that only hangs may be anybody's."""
    return any(each.group == DEV and each.part in SERVICES and each.seconds is not None for each in found)


def _up_runs(found: Sequence[Finding]) -> bool:
    return any(each.group == UP for each in found)


def _weighed(finding: Finding, runs: Sequence[str]) -> Finding:
    if finding.group == DEV and DEV in runs and finding.state is State.OFF:
        return replace(finding, state=State.BAD, cure=_OFF)
    # What is in the way of make dev is no trouble while nobody wants make dev.
    is_in_the_way = finding.group == DEV or (finding.group == PORTS and UP in runs)
    if is_in_the_way and DEV not in runs and finding.state is State.BAD:
        return replace(finding, state=State.NOTE)
    return finding
