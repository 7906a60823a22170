"""The rule about memory: what all containers may take together is what the README says."""

import re
from collections.abc import Iterator

from scripts.containers.project import Project, Service

_MIB = {"k": 1 / 1024, "m": 1.0, "g": 1024.0}
STATEMENT = re.compile(r"at most [\d.]+ GiB of memory, of which [\d.]+ GiB are monitoring")
"""What the README says of it."""


def the_readme_states_the_sum(project: Project) -> Iterator[str]:
    """The limits of all that run at the same time; the steps that end before others start are left out."""
    text, wanted = " ".join((project.root / "README.md").read_text().split()), statement(project)
    if (stated := STATEMENT.search(text)) is None or stated.group() != wanted:
        yield f"README.md must say: {wanted}"


def statement(project: Project) -> str:
    """The words that say it."""
    one_shots = project.one_shots()
    running = [service for name, service in project.services.items() if name not in one_shots]
    watching = [service for service in running if "monitoring" in service.get("profiles", [])]
    return f"at most {_gib(running)} GiB of memory, of which {_gib(watching)} GiB are monitoring"


def _gib(services: list[Service]) -> str:
    limits = (str(service.get("mem_limit", "0m")) for service in services)
    return f"{sum(float(limit[:-1]) * _MIB[limit[-1]] for limit in limits) / 1024:.1f}"
