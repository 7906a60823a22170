"""Rules about the pods: closed, asked how they are, with the environment and the secrets that their services read."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from chassis.grpc_api.channel_options import CLIENT_OPTIONS
from chassis.settings import ServiceSettings
from notify_svc.grpc_api.server import NOTIFICATION_SERVICE
from scripts.containers.dockerfile import last, read_stages
from scripts.containers.variables import MOUNTED, SETTINGS, fields, refused
from scripts.k8s.kustomization import Resource
from task_svc.grpc_api.server import TASK_SERVICE

_READY = {
    "task-svc": TASK_SERVICE,
    "notify-svc": NOTIFICATION_SERVICE,
    "edge-api": "/readyz",
    "web": "/",
}
"""What says of each that it can do its work: a service of its health, or a path."""
_LIVES = {"edge-api": "/healthz", "web": "/"}
"""What says that it lives, where that is not gRPC's own ""."""
_RECONNECT_SECONDS = dict(CLIENT_OPTIONS)["grpc.max_reconnect_backoff_ms"] / 1000
_PROBES = {"startupProbe": _LIVES, "livenessProbe": _LIVES, "readinessProbe": _READY}


def every_service_is_there(root: Path, resources: Sequence[Resource]) -> Iterator[str]:
    """Those whose images are made here, in the version of the project, each more than once."""
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    deployments = dict(_deployments(resources))
    for name, service in _compose(root)["services"].items():
        if "build" in service and name not in deployments:
            yield f"there is no Deployment {name}"
    for name, spec in deployments.items():
        if spec["replicas"] < 2:
            yield f"{name}: one replica is none while its node is away"
        if not _container(spec)["image"].endswith(f"/{name}:{version}"):
            yield f"{name}: its image is not {name}:{version}"


def pods_are_closed(root: Path, resources: Sequence[Resource]) -> Iterator[str]:
    """What Kubernetes calls restricted, and more: nothing to write to, no token for Kubernetes, and bounds."""
    stages = read_stages((root / "Dockerfile").read_text())
    for name, spec in _deployments(resources):
        pod, container = spec["template"]["spec"], _container(spec)
        around, inside = pod.get("securityContext", {}), container.get("securityContext", {})
        expected: list[tuple[str, object, object]] = [
            ("runAsNonRoot", around.get("runAsNonRoot"), True),
            ("user and group", f"{around.get('runAsUser')}:{around.get('runAsGroup')}", last(stages, name, "USER")),
            ("seccompProfile", around.get("seccompProfile"), {"type": "RuntimeDefault"}),
            ("allowPrivilegeEscalation", inside.get("allowPrivilegeEscalation"), False),
            ("readOnlyRootFilesystem", inside.get("readOnlyRootFilesystem"), True),
            ("capabilities", inside.get("capabilities"), {"drop": ["ALL"]}),
            ("automountServiceAccountToken", pod.get("automountServiceAccountToken"), False),
            ("enableServiceLinks", pod.get("enableServiceLinks"), False),
        ]
        yield from (
            f"{name}: {what} must be {right}, and is {found}" for what, found, right in expected if found != right
        )
        limits, requests = (container.get("resources", {}).get(kind, {}) for kind in ("limits", "requests"))
        if set(limits) != {"cpu", "memory"} or set(requests) != {"cpu", "memory"}:
            yield f"{name}: it needs requests and limits for cpu and memory"
        elif limits["memory"] != requests["memory"]:
            yield f"{name}: memory that is not asked for may be gone when it is needed"


def pods_are_asked_how_they_are(_: Path, resources: Sequence[Resource]) -> Iterator[str]:
    """Restarted only when the process is dead, called only while it can work."""
    for name, spec in _deployments(resources):
        for probe, expected in _PROBES.items():
            right = _question(name, expected.get(name, ""))
            asked = _container(spec).get(probe, {})
            if {key: asked.get(key) for key in right} != right:
                yield f"{name}: its {probe} does not ask {right}"


def pods_stop_in_time(_: Path, resources: Sequence[Resource]) -> Iterator[str]:
    """No drain ends in a kill: the notice, the server's grace, then what still runs."""
    environments = _environments(resources)
    for name, spec in _deployments(resources):
        if name in SETTINGS:
            notice, drain = (
                float(environments[name].get(field.upper(), ServiceSettings.model_fields[field].default))
                for field in ("drain_notice_seconds", "drain_seconds")
            )
            if spec["template"]["spec"]["terminationGracePeriodSeconds"] <= notice + 2 * drain:
                yield f"{name}: a drain may take {notice + 2 * drain:g} s, which terminationGracePeriodSeconds cuts off"


def environments_are_accepted(_: Path, resources: Sequence[Resource]) -> Iterator[str]:
    """Every variable is a setting, every value is one that the service takes, in production."""
    environments = _environments(resources)
    for name, spec in _deployments(resources):
        if name in SETTINGS:
            known = fields(SETTINGS[name])
            yield from (f"{name}: {each} is none of its settings" for each in environments[name] if each not in known)
            yield from refused(name, environments[name], _secrets(spec))
            if _container(spec).get("envFrom") != [{"configMapRef": {"name": name}}]:
                yield f"{name}: its environment is not the ConfigMap {name}"


def secrets_are_those_that_are_read(root: Path, resources: Sequence[Resource]) -> Iterator[str]:
    """As files, under the names that scripts/secrets gives them."""
    environments = _environments(resources)
    for name, spec in _deployments(resources):
        values = environments.get(name, {}).values()
        read = {value.removeprefix(MOUNTED) for value in values if value.startswith(MOUNTED)}
        if read != _secrets(spec):
            yield f"{name}: it reads the secrets {sorted(read)} and is given {sorted(_secrets(spec))}"
        yield from (
            f"{name}: scripts/secrets makes no {each}" for each in _secrets(spec) - set(_compose(root)["secrets"])
        )


def services_lead_to_pods(_: Path, resources: Sequence[Resource]) -> Iterator[str]:
    """Each pod is found by its name; those that speak gRPC one by one, so that calls are spread and not connections."""
    for name, spec in _deployments(resources):
        service = _of(resources, "Service", name)
        listened = {port["name"]: port["containerPort"] for port in _container(spec)["ports"]}
        if name in SETTINGS:
            defaults = {key: SETTINGS[name].model_fields[key].default for key in SETTINGS[name].model_fields}
            right = {defaults.get("grpc_port", defaults.get("port")), defaults["metrics_port"]}
            if set(listened.values()) != right:
                yield f"{name}: its ports are not {sorted(right)}, where it listens"
        if service is None or service["selector"] != spec["selector"]["matchLabels"]:
            yield f"{name}: no Service leads to it"
            continue
        if [(port["port"], port["targetPort"]) for port in service["ports"]] not in (
            [(listened.get("grpc"), "grpc")],
            [(listened.get("http"), "http")],
        ):
            yield f"{name}: its Service leads to a port where it does not listen"
        if ("grpc" in listened) != (service.get("clusterIP") == "None"):
            yield f"{name}: gRPC, and gRPC alone, needs a Service without an address: clusterIP: None"


def one_pod_leaves_at_a_time(_: Path, resources: Sequence[Resource]) -> Iterator[str]:
    """When nodes are emptied, and when a version is rolled out."""
    for name, spec in _deployments(resources):
        if _of(resources, "PodDisruptionBudget", name) != {"maxUnavailable": 1, "selector": spec["selector"]}:
            yield f"{name}: it has no PodDisruptionBudget of one"
        if spec["strategy"].get("rollingUpdate", {}).get("maxUnavailable") != 0:
            yield f"{name}: a rollout takes a pod away before another is ready"
        is_grpc = any(port["name"] == "grpc" for port in _container(spec)["ports"])
        if is_grpc and spec.get("minReadySeconds", 0) < 2 * _RECONNECT_SECONDS:
            yield f"{name}: a rollout takes a pod away before its clients have found another: minReadySeconds"


def _question(name: str, about: str) -> Mapping[str, object]:
    if about.startswith("/"):
        return {"httpGet": {"port": "http", "path": about}}
    return {"grpc": {"port": SETTINGS[name].model_fields["grpc_port"].default, "service": about}}


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
