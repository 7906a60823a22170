"""The files that describe the containers, read into what the rules look at."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scripts.containers.dockerfile import Stage, read_stages
from scripts.containers.dockerignore import Ignore

Service = Mapping[str, Any]
_VARIABLE = re.compile(r"\$\{([A-Z_]+):-([^${}]*)\}")


@dataclass(frozen=True)
class Project:
    """A checkout's containers."""

    root: Path
    compose: Mapping[str, Any]
    """docker-compose.yml."""
    stages: Mapping[str, Stage]
    """The stages of Dockerfile by name."""
    ignore: Ignore
    """.dockerignore."""

    @classmethod
    def read(cls, root: Path) -> "Project":
        """Reads the files in `root`."""
        return cls(
            root,
            yaml.safe_load((root / "docker-compose.yml").read_text()),
            read_stages((root / "Dockerfile").read_text()),
            Ignore((root / ".dockerignore").read_text()),
        )

    @property
    def services(self) -> Mapping[str, Service]:
        """The services by name."""
        services: Mapping[str, Service] = self.compose["services"]
        return services

    def built(self) -> Iterator[tuple[str, Service]]:
        """The services whose images are made here."""
        return ((name, service) for name, service in self.services.items() if "build" in service)

    def environment(self, service: str, variables: Mapping[str, str] | None = None) -> Mapping[str, str]:
        """What a service finds in its environment, if Compose found `variables` in its own."""
        given: Mapping[str, Any] = self.services[service].get("environment", {})
        return {name: _interpolated(str(value), variables or {}) for name, value in given.items()}

    def one_shots(self) -> set[str]:
        """The services that others wait for until they have ended well."""
        return {
            name
            for service in self.services.values()
            for name, needed in service.get("depends_on", {}).items()
            if needed["condition"] == "service_completed_successfully"
        }


def _interpolated(value: str, variables: Mapping[str, str]) -> str:
    """Fills in `${NAME:-default}` from the inside out, since a default may hold others."""
    while match := _VARIABLE.search(value):
        value = value[: match.start()] + (variables.get(match[1]) or match[2]) + value[match.end() :]
    return value


def names(entries: Sequence[Any]) -> list[str]:
    """What a service's list refers to, whichever way it is written: `name`, `name:/path`, `./folder:/path:ro`,
    `{source: name}`."""
    return [entry["source"] if isinstance(entry, dict) else str(entry).split(":")[0] for entry in entries]
