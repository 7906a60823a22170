"""Reads docker-compose.yml for the checks and for tests that start its services without containers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Service = Mapping[str, Any]
_VARIABLE = re.compile(r"\$\{([A-Z_]+):-([^${}]*)\}")


@dataclass(frozen=True)
class Project:
    """The content of docker-compose.yml."""

    compose: Mapping[str, Any]

    @classmethod
    def read(cls, root: Path) -> "Project":
        """Read docker-compose.yml in `root`."""
        return cls(yaml.safe_load((root / "docker-compose.yml").read_text()))

    @property
    def services(self) -> Mapping[str, Service]:
        """The services by name."""
        services: Mapping[str, Service] = self.compose["services"]
        return services

    def built(self) -> Iterator[tuple[str, Service]]:
        """The services whose images are built from this repository."""
        return ((name, service) for name, service in self.services.items() if "build" in service)

    def environment(self, service: str, variables: Mapping[str, str] | None = None) -> Mapping[str, str]:
        """The environment of a service if Compose runs with the environment `variables`."""
        given: Mapping[str, Any] = self.services[service].get("environment", {})
        return {name: _interpolated(str(value), variables or {}) for name, value in given.items()}

    def one_shots(self) -> set[str]:
        """The services that run to completion before the services that depend on them start."""
        return {
            name
            for service in self.services.values()
            for name, needed in service.get("depends_on", {}).items()
            if needed["condition"] == "service_completed_successfully"
        }


def _interpolated(value: str, variables: Mapping[str, str]) -> str:
    """Replace `${NAME:-default}` from the inside out, since a default can contain other variables."""
    while match := _VARIABLE.search(value):
        value = value[: match.start()] + (variables.get(match[1]) or match[2]) + value[match.end() :]
    return value


def names(entries: Sequence[Any]) -> list[str]:
    """The names in a list of secrets or configs, in Compose's short form (`name`) or long form (`{source: name}`)."""
    return [entry["source"] if isinstance(entry, dict) else str(entry) for entry in entries]
