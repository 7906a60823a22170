"""Collects every setting with its default and description, for .env.example and the settings page.

The descriptions of the services' settings are the docstrings of their settings classes.
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
# Every setting with its default. `make docs` writes this file from the code. Nothing reads it: set a variable in the
# environment, as in
#   EDGE_PORT=8081 make dev
# or copy the file to .env, remove the `#` from some lines, and run: set -a; . ./.env; set +a
#
# `make dev` sets ENVIRONMENT, MESH_TOKEN_FILE, PUBLIC_ORIGINS, every …_HOST and every …_TARGET itself.
# `make up` and `make kong-apply` read .env themselves, but only the settings of `make up`, ENVIRONMENT (production
# leaves the demo users out of the gateway) and PUBLIC_ORIGINS. Inside containers every service runs in production.
"""
_COMPOSE = {
    "GATEWAY_TLS_PORT": "The gateway's port for HTTPS.",
    "GATEWAY_GRPC_PORT": "The gateway's port for gRPC.",
    "GRPC_REFLECTION": "Enable gRPC reflection for clients with an API key.",
    "GRAFANA_PORT": "The port of Grafana.",
    "GRAFANA_ANONYMOUS": "Show dashboards without a login. The administrator's password is in "
    ".secrets/grafana-admin-password.",
    "PROMETHEUS_PORT": "The port of Prometheus.",
    "DOCKER_SOCKET": "The socket of the Docker engine, from which Alloy reads the containers' logs.",
    "DOCKER_SOCKET_GROUP": "The id of the group that owns this socket. `make up` finds it out.",
    "KONG_TRACING": "The spans that Kong records. `make up` sets request,balancer; `make up-lite` sets off.",
}


class Setting(NamedTuple):
    """A variable of the environment; the default is empty where there is none."""

    name: str
    default: str
    description: str


class Undescribed(Exception):
    """docker-compose.yml and the descriptions here name different variables."""


def sections(root: Path) -> Mapping[str, Sequence[Setting]]:
    """The settings by the heading of their section; a setting of several services is listed once.

    Raises Undescribed.
    """
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
    """The variables that docker-compose.yml takes from its user."""
    text = (root / "docker-compose.yml").read_text()
    defaults = dict(re.findall(r"(?<!\$)\$\{(\w+):-([^${}]*)\}", text))
    known = {variable(each, field) for each in SETTINGS.values() for field in each.model_fields} | DESCRIPTIONS.keys()
    if difference := (defaults.keys() - known) ^ _COMPOSE.keys():
        msg = f"{__name__} must describe what docker-compose.yml reads: {', '.join(sorted(difference))}"
        raise Undescribed(msg)
    yield from (Setting(name, defaults[name], about) for name, about in _COMPOSE.items())
