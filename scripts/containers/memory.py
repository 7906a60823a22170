"""The rule about memory: what all containers may take together is what the README says."""

import re
from collections.abc import Iterator

from scripts.containers.project import Project, Service

_MIB = {"k": 1 / 1024, "m": 1.0, "g": 1024.0}
_STATED = re.compile(r"at most ([\d.]+) GiB of memory, of which ([\d.]+) GiB are monitoring")


def the_readme_states_the_sum(project: Project) -> Iterator[str]:
    """The limits of all that run at the same time; the steps that end before others start are left out."""
    one_shots = project.one_shots()
    running = [service for name, service in project.services.items() if name not in one_shots]
    watching = [service for service in running if "monitoring" in service.get("profiles", [])]
    text = " ".join((project.root / "README.md").read_text().split())
    stated, wanted = _STATED.search(text), (_gib(running), _gib(watching))
    if stated is None or stated.groups() != wanted:
        yield f"README.md must say: at most {wanted[0]} GiB of memory, of which {wanted[1]} GiB are monitoring"


def _gib(services: list[Service]) -> str:
    limits = (str(service.get("mem_limit", "0m")) for service in services)
    return f"{sum(float(limit[:-1]) * _MIB[limit[-1]] for limit in limits) / 1024:.1f}"
