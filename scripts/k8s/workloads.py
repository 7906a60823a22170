"""Rules for pods: rights, probes, environment, secrets, Services, and rollouts."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from chassis.grpc_api.channel_options import CLIENT_OPTIONS
from chassis.settings import ServiceSettings
from notify_svc.grpc_api.server import NOTIFICATION_SERVICE
from scripts.containers.variables import MOUNTED, SETTINGS, fields, refused
from scripts.k8s.kustomization import Resource
from task_svc.grpc_api.server import TASK_SERVICE

_READY = {
    "task-svc": TASK_SERVICE,
    "notify-svc": NOTIFICATION_SERVICE,
    "edge-api": "/readyz",
    "web": "/",
}
"""The readiness check of each pod: a service of the gRPC health protocol, or an HTTP path."""
_LIVES = {"edge-api": "/healthz", "web": "/"}
"""The liveness check of each pod; if not listed, the gRPC health service ""."""
_RECONNECT_SECONDS = dict(CLIENT_OPTIONS)["grpc.max_reconnect_backoff_ms"] / 1000
_PROBES = {"startupProbe": _LIVES, "livenessProbe": _LIVES, "readinessProbe": _READY}


def deployments_are_complete(root: Path, resources: Sequence[Resource]) -> Iterator[str]:
    """Every image of this project has a Deployment, with the project's version and at least two replicas."""
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    deployments = dict(_deployments(resources))
    for name, service in _compose(root)["services"].items():
        if "build" in service and name not in deployments:
            yield f"there is no Deployment {name}"
    for name, spec in deployments.items():
        if spec["replicas"] < 2:
            yield f"{name}: it needs two replicas or more, because a node can fail"
        if not _container(spec)["image"].endswith(f"/{name}:{version}"):
            yield f"{name}: its image must be {name}:{version}"


def pods_are_restricted(_: Path, resources: Sequence[Resource]) -> Iterator[str]:
    """More than Kubernetes' profile `restricted`: a read-only root, no Kubernetes token, and resource limits."""
    for name, spec in _deployments(resources):
        pod, container = spec["template"]["spec"], _container(spec)
        of_pod, of_container = pod.get("securityContext", {}), container.get("securityContext", {})
        expected: list[tuple[str, object, object]] = [
            ("runAsNonRoot", of_pod.get("runAsNonRoot"), True),
            ("seccompProfile", of_pod.get("seccompProfile"), {"type": "RuntimeDefault"}),
            ("allowPrivilegeEscalation", of_container.get("allowPrivilegeEscalation"), False),
            ("readOnlyRootFilesystem", of_container.get("readOnlyRootFilesystem"), True),
            ("capabilities", of_container.get("capabilities"), {"drop": ["ALL"]}),
            ("automountServiceAccountToken", pod.get("automountServiceAccountToken"), False),
            ("enableServiceLinks", pod.get("enableServiceLinks"), False),
        ]
        yield from (
            f"{name}: {field} must be {right}, but is {found}" for field, found, right in expected if found != right
        )
        limits, requests = (container.get("resources", {}).get(kind, {}) for kind in ("limits", "requests"))
        if set(limits) != {"cpu", "memory"} or set(requests) != {"cpu", "memory"}:
            yield f"{name}: it needs requests and limits for cpu and memory"
        elif limits["memory"] != requests["memory"]:
            yield f"{name}: its memory request must equal its limit, since more than the request may be unavailable"


def probes_are_correct(_: Path, resources: Sequence[Resource]) -> Iterator[str]:
    """The startup and liveness probes check liveness; the readiness probe checks readiness."""
    for name, spec in _deployments(resources):
        for probe, expected in _PROBES.items():
            right = _check(name, expected.get(name, ""))
            found = _container(spec).get(probe, {})
            if {key: found.get(key) for key in right} != right:
                yield f"{name}: its {probe} must be {right}"


def pods_can_drain(_: Path, resources: Sequence[Resource]) -> Iterator[str]:
    """Kubernetes does not kill a pod during its drain, which takes DRAIN_NOTICE_SECONDS and twice DRAIN_SECONDS."""
    environments = _environments(resources)
    for name, spec in _deployments(resources):
        if name in SETTINGS:
            notice, drain = (
                float(environments[name].get(field.upper(), ServiceSettings.model_fields[field].default))
                for field in ("drain_notice_seconds", "drain_seconds")
            )
            if spec["template"]["spec"]["terminationGracePeriodSeconds"] <= notice + 2 * drain:
                yield f"{name}: terminationGracePeriodSeconds must exceed the longest drain, {notice + 2 * drain:g} s"


def environments_are_valid(_: Path, resources: Sequence[Resource]) -> Iterator[str]:
    """Every variable is a setting of the service, with a value that the service accepts in production."""
    environments = _environments(resources)
    for name, spec in _deployments(resources):
        if name in SETTINGS:
            known = fields(SETTINGS[name])
            yield from (
                f"{name}: {each} is not one of its settings" for each in environments[name] if each not in known
            )
            yield from refused(name, environments[name], _secrets(spec))
            if _container(spec).get("envFrom") != [{"configMapRef": {"name": name}}]:
                yield f"{name}: its environment must be the ConfigMap {name}"


def secrets_match_the_settings(root: Path, resources: Sequence[Resource]) -> Iterator[str]:
    """A pod mounts the secrets that its settings name, under the names that scripts/secrets uses."""
    environments = _environments(resources)
    for name, spec in _deployments(resources):
        values = environments.get(name, {}).values()
        read = {value.removeprefix(MOUNTED) for value in values if value.startswith(MOUNTED)}
        if read != _secrets(spec):
            yield f"{name}: it reads the secrets {sorted(read)}, but mounts {sorted(_secrets(spec))}"
        yield from (
            f"{name}: scripts/secrets does not create {each}"
            for each in _secrets(spec) - set(_compose(root)["secrets"])
        )


def services_select_pods(_: Path, resources: Sequence[Resource]) -> Iterator[str]:
    """Each Deployment has a Service. For gRPC it is headless, so that clients distribute calls, not connections."""
    for name, spec in _deployments(resources):
        service = _of(resources, "Service", name)
        listened = {port["name"]: port["containerPort"] for port in _container(spec)["ports"]}
        if name in SETTINGS:
            defaults = {key: SETTINGS[name].model_fields[key].default for key in SETTINGS[name].model_fields}
            right = {defaults.get("grpc_port", defaults.get("port")), defaults["metrics_port"]}
            if set(listened.values()) != right:
                yield f"{name}: its container ports must be {sorted(right)}"
        if service is None or service["selector"] != spec["selector"]["matchLabels"]:
            yield f"{name}: it needs a Service with its name that selects its pods"
            continue
        if [(port["port"], port["targetPort"]) for port in service["ports"]] not in (
            [(listened.get("grpc"), "grpc")],
            [(listened.get("http"), "http")],
        ):
            yield f"{name}: its Service must forward to a port of the container"
        if ("grpc" in listened) != (service.get("clusterIP") == "None"):
            yield f"{name}: its Service must be headless (clusterIP: None) if it serves gRPC, and only then"


def pods_stop_one_at_a_time(_: Path, resources: Sequence[Resource]) -> Iterator[str]:
    """A node drain stops one pod at a time. A rollout stops a pod only after clients can connect to a new one."""
    for name, spec in _deployments(resources):
        if _of(resources, "PodDisruptionBudget", name) != {"maxUnavailable": 1, "selector": spec["selector"]}:
            yield f"{name}: it needs a PodDisruptionBudget with maxUnavailable 1"
        if spec["strategy"].get("rollingUpdate", {}).get("maxUnavailable") != 0:
            yield f"{name}: maxUnavailable must be 0, so that a rollout starts a new pod before it stops an old one"
        is_grpc = any(port["name"] == "grpc" for port in _container(spec)["ports"])
        if is_grpc and spec.get("minReadySeconds", 0) < 2 * _RECONNECT_SECONDS:
            yield f"{name}: minReadySeconds must be {2 * _RECONNECT_SECONDS:g} or more: clients need time to connect"


def _check(name: str, target: str) -> Mapping[str, object]:
    if target.startswith("/"):
        return {"httpGet": {"port": "http", "path": target}}
    return {"grpc": {"port": SETTINGS[name].model_fields["grpc_port"].default, "service": target}}


def _deployments(resources: Sequence[Resource]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(each["metadata"]["name"], each["spec"]) for each in resources if each["kind"] == "Deployment"]


def _environments(resources: Sequence[Resource]) -> dict[str, Mapping[str, str]]:
    return {each["metadata"]["name"]: each["data"] for each in resources if each["kind"] == "ConfigMap"}


def _of(resources: Sequence[Resource], kind: str, name: str) -> Mapping[str, Any] | None:
    found = (each["spec"] for each in resources if each["kind"] == kind and each["metadata"]["name"] == name)
    return next(found, None)


def _container(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    (container,) = spec["template"]["spec"]["containers"]
    return dict(container)


def _secrets(spec: Mapping[str, Any]) -> set[str]:
    volumes = spec["template"]["spec"].get("volumes", [])
    return {source["secret"]["name"] for each in volumes for source in each.get("projected", {}).get("sources", [])}


def _compose(root: Path) -> Mapping[str, Any]:
    return dict(yaml.safe_load((root / "docker-compose.yml").read_text()))
