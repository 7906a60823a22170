"""Rules about the isolation of containers: rights, limits, networks, and published ports."""

import re
from collections.abc import Iterator, Mapping

from chassis import tracing
from chassis.settings import ServiceSettings
from scripts.containers.project import Project
from scripts.containers.variables import SETTINGS

_HARDENED = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"]}
_LIMITS = ("mem_limit", "pids_limit", "logging")
_FORBIDDEN = ("cap_add", "devices", "ipc", "pid", "privileged")
_PUBLISHED = {"kong", "grafana", "prometheus"}
_EXTERNAL_NETWORKS = {"ingress", "console", "egress"}
_STORE_USERS = {"data": {"mongo", "task-svc", "exporters"}, "queue": {"redis", "task-svc", "notify-svc", "exporters"}}
"""The networks of MongoDB and Redis, and the services in them."""
_MAY_READ_THE_DOCKER_SOCKET = {"alloy"}
"""Alloy reads log lines from the Docker engine. Access to this socket is equivalent to root, even with :ro."""
_REQUIRED = {
    ("kong", "KONG_ADMIN_LISTEN"): "off",
    ("kong", "KONG_ADMIN_GUI_LISTEN"): "off",
    ("kong", "KONG_UNTRUSTED_LUA"): "sandbox",
    ("kong", "KONG_NGINX_PROXY_UNDERSCORES_IN_HEADERS"): "off",
    ("grafana", "GF_AUTH_ANONYMOUS_ORG_ROLE"): "Viewer",
    ("grafana", "GF_USERS_VIEWERS_CAN_EDIT"): "true",
    ("task-svc", "TASK_GRPC_REFLECTION"): "false",
    ("notify-svc", "NOTIFY_GRPC_REFLECTION"): "false",
}
_UNIT = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


def containers_are_hardened(project: Project) -> Iterator[str]:
    """Each container has a read-only file system, no capabilities, and limits."""
    for name, service in project.services.items():
        for key, value in _HARDENED.items():
            if service.get(key) != value:
                yield f"{name}: {key} must be {value}"
        yield from (f"{name}: {key} is missing" for key in _LIMITS if key not in service)
        yield from (f"{name}: {key} must not be set" for key in _FORBIDDEN if key in service)
        if "build" not in service and not re.fullmatch(r"[1-9]\d*:[1-9]\d*", str(service.get("user"))):
            yield f"{name}: user must be UID:GID, two numbers other than 0"
        if name not in project.one_shots() and "test" not in service.get("healthcheck", {}):
            yield f"{name}: healthcheck is missing"
        for volume in map(str, service.get("volumes", [])):
            if "docker.sock" in volume and name not in _MAY_READ_THE_DOCKER_SOCKET:
                yield f"{name}: access to the Docker socket is equivalent to root"
            if volume.startswith("./") and not volume.endswith(":ro"):
                yield f"{name}: {volume} must end with :ro"


def a_drain_ends_before_the_kill(project: Project) -> Iterator[str]:
    """`stop_grace_period` exceeds the longest drain."""
    for name in SETTINGS:
        longest = longest_drain(project.environment(name))
        grace = _seconds(project.services[name].get("stop_grace_period", "10s"))
        if grace <= longest:
            yield f"{name}: a drain can take {longest:g} s, and stop_grace_period is {grace:g} s"


def longest_drain(environment: Mapping[str, str]) -> float:
    """Maximum seconds for the drain of a service: the notice, twice DRAIN_SECONDS, and the export of spans."""
    notice, drain = (
        float(environment.get(field.upper(), ServiceSettings.model_fields[field].default))
        for field in ("drain_notice_seconds", "drain_seconds")
    )
    return notice + 2 * drain + tracing.CLOSE_SECONDS


def only_the_gateway_is_reachable(project: Project) -> Iterator[str]:
    """Ports are published on 127.0.0.1 only, and no network bypasses the gateway."""
    for name, service in project.services.items():
        for port in map(str, service.get("ports", [])):
            if name not in _PUBLISHED:
                yield f"{name}: {port} must not be published"
            if not port.startswith("127.0.0.1:"):
                yield f"{name}: {port} must be published on 127.0.0.1"
    for name, network in project.compose["networks"].items():
        if name not in _EXTERNAL_NETWORKS and not (network or {}).get("internal"):
            yield f"the network {name} must be internal"
    for network, users in _STORE_USERS.items():
        for name, service in project.services.items():
            if network in service.get("networks", []) and name not in users:
                yield f"{name}: must not be in the network {network}"


def nothing_internal_is_exposed(project: Project) -> Iterator[str]:
    """Kong's Admin API and reflection are off, Kong ignores forwarded client addresses, and visitors of Grafana can
    explore but save nothing.
    """
    for (name, variable), value in _REQUIRED.items():
        if project.environment(name).get(variable) != value:
            yield f"{name}: {variable} must be {value}"
    if "KONG_TRUSTED_IPS" in project.environment("kong"):
        yield "kong: KONG_TRUSTED_IPS lets clients forge the address by which their rate is limited"


def _seconds(duration: str) -> float:
    return sum(float(number) * _UNIT[unit] for number, unit in re.findall(r"([\d.]+)(ms|s|m|h)", duration))
