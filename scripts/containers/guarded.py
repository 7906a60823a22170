"""Rules about what a container may do, and what happens to it when something goes wrong."""

import re
from collections.abc import Iterator, Mapping

from chassis.settings import ServiceSettings
from scripts.containers.project import Project, Service
from scripts.containers.variables import SETTINGS

_NETWORKS: Mapping[str, set[str]] = {
    "kong": {"ingress", "edge", "mesh", "gateway", "telemetry"},
    "kong-init": {"gateway"},
    "kong-prune": {"gateway"},
    "kong-import": {"gateway"},
    "kong-db": {"gateway"},
    "web": {"edge"},
    "edge-api": {"edge", "mesh", "telemetry"},
    "task-svc": {"mesh", "data", "telemetry"},
    "notify-svc": {"mesh", "data", "egress", "telemetry"},
    "redis": {"data"},
    "mongo": {"data"},
    "mongo-init": set(),  # shares mongo's
    "prometheus": {"ingress", "telemetry", "monitoring"},
    "grafana": {"ingress", "monitoring"},
    "loki": {"monitoring"},
    "tempo": {"monitoring"},
    "alloy": {"telemetry", "monitoring"},
    "exporters": {"data", "telemetry"},
}
"""Who meets whom, as the picture of the architecture shows it; Kong is in the mesh for its gRPC routes."""

_WITH_A_WAY_OUT = {"ingress", "egress"}
_PUBLISHED = {"kong", "grafana", "prometheus"}
_SOCKET = "/var/run/docker.sock"
_MAY_HAVE_THE_SOCKET = {"alloy"}
"""Who asks the engine for log lines. It makes root of whoever has it, and :ro changes nothing about that; it only keeps
the file itself from being replaced."""

_NEVER = ("cap_add", "container_name", "devices", "env_file", "ipc", "pid", "privileged")
_UNIT = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


def every_service_is_guarded(project: Project) -> Iterator[str]:
    """Each service by itself."""
    one_shots = project.one_shots()
    for name, service in project.services.items():
        yield from (f"{name}: {problem}" for problem in _unguarded(service, is_one_shot=name in one_shots))
        yield from (f"{name}: {problem}" for problem in _mounts(service, may_have_socket=name in _MAY_HAVE_THE_SOCKET))
        grace, needed = _seconds(service.get("stop_grace_period", "10s")), _drain_seconds(project, name)
        if grace <= needed:
            yield f"{name}: a drain may take {needed:g} s, and stop_grace_period is {grace:g} s"


def nothing_is_published_but_on_loopback(project: Project) -> Iterator[str]:
    """Nobody gets round the gateway to the mesh, and every published port names 127.0.0.1, or all may reach it."""
    for name, service in project.services.items():
        if service.get("ports") and name not in _PUBLISHED:
            yield f"{name}: is published, and only {', '.join(sorted(_PUBLISHED))} may be"
        for port in service.get("ports", []):
            address = port.get("host_ip", "") if isinstance(port, dict) else str(port)
            if not address.startswith("127.0.0.1"):
                yield f"{name}: {port} is published beyond 127.0.0.1"


def who_meets_whom(project: Project) -> Iterator[str]:
    """The networks of each service, and that only those lead out that have to."""
    for name, service in project.services.items():
        if set(service.get("networks", [])) != _NETWORKS.get(name):
            yield f"{name}: its networks are not those in scripts/containers/guarded.py"
    for name, network in project.compose["networks"].items():
        if name not in _WITH_A_WAY_OUT and not (network or {}).get("internal"):
            yield f"the network {name} is not internal"


def _unguarded(service: Service, *, is_one_shot: bool) -> Iterator[str]:
    expected = {
        "restart": "no" if is_one_shot else "unless-stopped",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
    }
    yield from (f"{key} must be {value}" for key, value in expected.items() if service.get(key) != value)
    yield from (f"{key} is missing" for key in ("mem_limit", "pids_limit", "tmpfs") if key not in service)
    yield from (f"{key} must not be set" for key in _NEVER if key in service)
    if not is_one_shot and "test" not in service.get("healthcheck", {}):
        yield "it has no health check"
    if not {"max-size", "max-file"} <= set(service.get("logging", {}).get("options", {})):
        yield "its log may grow without end"
    if "build" not in service and not re.fullmatch(r"[1-9]\d*:[1-9]\d*", str(service.get("user"))):
        yield "user must be two numbers other than 0"


def _mounts(service: Service, *, may_have_socket: bool) -> Iterator[str]:
    for volume in map(str, service.get("volumes", [])):
        if "docker.sock" in volume and not (may_have_socket and volume.endswith(f":{_SOCKET}:ro")):
            yield "the engine's socket would make it root on the machine"
        if volume.startswith("./") and not volume.endswith(":ro"):
            yield f"{volume} lets it write into the checkout"


def _drain_seconds(project: Project, name: str) -> float:
    """The longest a service may take to stop. Ours: the notice, the server's grace, then what still runs."""
    environment = project.environment(name)
    if name not in SETTINGS:
        return _seconds(environment.get("KONG_NGINX_MAIN_WORKER_SHUTDOWN_TIMEOUT", "0s"))
    notice, drain = (
        float(environment.get(field.upper(), ServiceSettings.model_fields[field].default))
        for field in ("drain_notice_seconds", "drain_seconds")
    )
    return notice + 2 * drain


def _seconds(duration: str) -> float:
    return sum(float(number) * _UNIT[unit] for number, unit in re.findall(r"([\d.]+)(ms|s|m|h)", duration))
