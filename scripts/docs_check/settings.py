"""Collects all settings with defaults and descriptions, for .env.example and the settings page.

The descriptions are the docstrings of the fields in the settings classes.
"""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic.fields import FieldInfo

from chassis.settings import ServiceSettings
from scripts.containers.variables import SETTINGS, variable
from scripts.dev.settings import DATA_DIR, DESCRIPTIONS, PORTS

ENV_EXAMPLE = Path(".env.example")
_HEAD = """\
# All settings with their defaults. `make docs` generates this file from the code, and nothing reads it. Set a variable
# in the environment, for example
#   EDGE_PORT=8081 make dev
# or copy this file to .env, remove the `#` from some lines, and run: set -a; . ./.env; set +a
#
# `make dev` always sets ENVIRONMENT, MESH_TOKEN_FILE, PUBLIC_ORIGINS, and all …_HOST and …_TARGET variables.
# `make up` and `make kong-apply` read .env, but only the settings of `make up`, ENVIRONMENT (production leaves the demo
# users out of the gateway), and PUBLIC_ORIGINS. In containers, all services run with ENVIRONMENT=production.
"""
_COMPOSE = {
    "GATEWAY_TLS_PORT": "The gateway's port for HTTPS.",
    "GATEWAY_GRPC_PORT": "The gateway's port for gRPC.",
    "GRPC_REFLECTION": "Enable gRPC reflection for clients with an API key.",
    "GRAFANA_PORT": "The port of Grafana.",
    "GRAFANA_ANONYMOUS": "Show dashboards without a login. The administrator's password is in "
    ".secrets/grafana-admin-password.",
    "PROMETHEUS_PORT": "The port of Prometheus.",
    "DOCKER_SOCKET": "The socket of the Docker engine. Alloy reads the logs of containers from it.",
    "DOCKER_SOCKET_GROUP": "The id of the group that owns this socket. `make up` detects it.",
    "KONG_TRACING": "The spans that Kong records. `make up` sets request,balancer; `make up-lite` sets off.",
}


class Setting(NamedTuple):
    """An environment variable. The default is empty if there is none."""

    name: str
    default: str
    description: str


class Undescribed(Exception):
    """The variables in docker-compose.yml differ from those described here."""


def sections(root: Path) -> Mapping[str, Sequence[Setting]]:
    """The settings by section. A setting of several services is listed once. Raise Undescribed."""
    seen: set[str] = set()
    made: dict[str, Sequence[Setting]] = {
        "make dev": [Setting(name, str(PORTS.get(name, DATA_DIR)), about) for name, about in DESCRIPTIONS.items()],
        "make up": list(_compose(root)),
        "Every service": list(_of(ServiceSettings, seen)),
    }
    for name, settings in SETTINGS.items():
        made[name] = list(_of(settings, seen))
    return made


def env_example(root: Path) -> str:
    """The text of .env.example."""
    blocks = [_HEAD]
    for heading, settings in sections(root).items():
        lines = [f"# == {heading}"]
        for each in settings:
            lines += textwrap.wrap(each.description, 118, initial_indent="# ", subsequent_indent="# ")
            lines.append(f"#{each.name}={each.default}")
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def _of(settings: type[ServiceSettings], seen: set[str]) -> Iterator[Setting]:
    for field, info in settings.model_fields.items():
        name = variable(settings, field)
        if name not in seen:
            seen.add(name)
            yield Setting(name, _text(info), info.description or "")


def _text(field: FieldInfo) -> str:
    if field.default_factory is not None or field.default is None:
        return ""
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)


def _compose(root: Path) -> Iterator[Setting]:
    """The variables that docker-compose.yml reads from the environment of its user."""
    text = (root / "docker-compose.yml").read_text()
    defaults = dict(re.findall(r"(?<!\$)\$\{(\w+):-([^${}]*)\}", text))
    known = {variable(each, field) for each in SETTINGS.values() for field in each.model_fields} | DESCRIPTIONS.keys()
    if difference := (defaults.keys() - known) ^ _COMPOSE.keys():
        msg = f"{__name__} must describe the variables of docker-compose.yml: {', '.join(sorted(difference))}"
        raise Undescribed(msg)
    yield from (Setting(name, defaults[name], about) for name, about in _COMPOSE.items())
