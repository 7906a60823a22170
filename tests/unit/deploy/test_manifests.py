"""The manifests in deploy/k8s are valid Kubernetes resources and agree with the services that they deploy.

The files are read as they are, so an overlay can use every feature of kustomize.
"""

import json
import shutil
import subprocess
import tomllib
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from edge_api.routes.health import HEALTHZ, READYZ
from scripts.containers.isolation import longest_drain
from scripts.containers.project import Project
from scripts.containers.variables import MOUNTED, SETTINGS, fields, refused
from scripts.dev.services import GRPC_SERVICES
from tests import ROOT
from tests.support.stack.prometheus import programs

# In 1.30, the oldest supported version, a preStop hook can sleep.
_VERSIONS = ("1.30", kubernetes_validate.latest_version())
_K8S = ROOT / "deploy/k8s"
_BASE, _EXAMPLE = _K8S / "base", _K8S / "overlays/example"
_KUSTOMIZATIONS: dict[Path, dict[str, Any]] = {
    path.parent: yaml.safe_load(path.read_text())
    for path in (_BASE / "kustomization.yaml", *sorted(_K8S.glob("overlays/*/kustomization.yaml")))
}
_RESOURCES: dict[Path, list[dict[str, Any]]] = {
    folder / name: list(filter(None, yaml.safe_load_all((folder / name).read_text())))
    for folder, kustomization in _KUSTOMIZATIONS.items()
    for name in kustomization.get("resources", [])
    if (folder / name).is_file()
}


def _in_base(kind: str) -> dict[str, Any]:
    """The specs of all resources of a kind in the base, by name."""
    resources = (each for path, found in _RESOURCES.items() if path.parent == _BASE for each in found)
    return {each["metadata"]["name"]: each["spec"] for each in resources if each["kind"] == kind}


_PODS = {name: spec["template"]["spec"] for name, spec in _in_base("Deployment").items()}
_CONTAINERS = {name: pod["containers"][0] for name, pod in _PODS.items()}
_PORTS = {name: {port["name"]: port["containerPort"] for port in each["ports"]} for name, each in _CONTAINERS.items()}
_HEALTH_SERVICES = {each.name.replace("_", "-"): each.serves for each in GRPC_SERVICES}
_each_service = pytest.mark.parametrize("name", SETTINGS)


def _environment(name: str, *folders: Path) -> dict[str, str]:
    """The literals of the ConfigMap `name` in `folders`; the last folder has priority."""
    generators = [each for folder in folders for each in _KUSTOMIZATIONS[folder].get("configMapGenerator", [])]
    literals = [literal for each in generators if each["name"] == name for literal in each["literals"]]
    return dict(literal.split("=", 1) for literal in literals)


def _secrets(name: str) -> set[str]:
    """The Secrets in the folder in which the service reads them."""
    mounted = {f"{each['mountPath']}/": each["name"] for each in _CONTAINERS[name]["volumeMounts"]}[MOUNTED]
    (volume,) = (each for each in _PODS[name]["volumes"] if each["name"] == mounted)
    return {source["secret"]["name"] for source in volume["projected"]["sources"]}


def _validate(resources: Iterable[dict[str, Any]]) -> None:
    for resource, version in product(resources, _VERSIONS):
        try:
            kubernetes_validate.validate(resource, version, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            # Only the cluster has the schemas of custom resources. Their groups have a dot.
            if "." not in resource["apiVersion"].removeprefix("networking.k8s.io"):
                raise


@pytest.mark.parametrize("path", _RESOURCES, ids=lambda path: str(path.relative_to(_K8S)))
def test_resources_are_valid_in_the_oldest_and_the_newest_kubernetes(path: Path) -> None:
    _validate(_RESOURCES[path])


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize("folder", _KUSTOMIZATIONS, ids=lambda folder: folder.name)
def test_kubectl_builds_valid_resources(folder: Path) -> None:
    built = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    _validate(yaml.safe_load_all(built.stdout))


def test_every_image_of_the_project_has_its_version_in_every_file() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    in_compose = {name: service["image"] for name, service in Project.read(ROOT).built()}
    assert in_compose == {name: f"taskmesh/{name}:{version}" for name in in_compose}
    assert in_compose == {name: container["image"] for name, container in _CONTAINERS.items()}
    in_example = {f"{each['name']}:{each['newTag']}" for each in _KUSTOMIZATIONS[_EXAMPLE]["images"]}
    assert in_example == set(in_compose.values())


@_each_service
def test_the_service_accepts_its_environment(name: str) -> None:
    environment = _environment(name, _BASE, _EXAMPLE)
    assert environment.keys() - fields(SETTINGS[name]) == set(), "these are not settings of the service"
    assert list(refused(name, environment, _secrets(name))) == []
    assert _CONTAINERS[name]["envFrom"] == [{"configMapRef": {"name": name}}]


@_each_service
def test_a_pod_mounts_the_secrets_that_its_settings_name(name: str) -> None:
    values = _environment(name, _BASE).values()
    assert _secrets(name) == {value.removeprefix(MOUNTED) for value in values if value.startswith(MOUNTED)}
    assert _secrets(name) <= Project.read(ROOT).compose["secrets"].keys(), "scripts/secrets creates these"


@_each_service
def test_probes_and_ports_are_those_of_the_service(name: str) -> None:
    defaults = {field: info.default for field, info in SETTINGS[name].model_fields.items()}
    if name in _HEALTH_SERVICES:
        ports = {"grpc": defaults["grpc_port"]}
        live, ready = ({"grpc": {"port": ports["grpc"], "service": each}} for each in ("", _HEALTH_SERVICES[name]))
    else:
        ports = {"http": defaults["port"]}
        live, ready = ({"httpGet": {"port": "http", "path": each}} for each in (HEALTHZ, READYZ))
    assert _PORTS[name] == {**ports, "metrics": defaults["metrics_port"]}
    for probe, check in (("startupProbe", live), ("livenessProbe", live), ("readinessProbe", ready)):
        assert _CONTAINERS[name][probe] == {**_CONTAINERS[name][probe], **check}


@pytest.mark.parametrize("name", _PODS)
def test_a_service_has_the_port_of_its_pods_and_one_for_grpc_clients_is_headless(name: str) -> None:
    services = _in_base("Service")
    names = [name, f"{name}-headless"] if name in _HEALTH_SERVICES else [name]
    for service in map(services.__getitem__, names):
        assert service["selector"] == {"app.kubernetes.io/name": name}
        for port in service["ports"]:  # a headless Service does not translate port numbers
            assert port["port"] == _PORTS[name][port["targetPort"]]
    assert [services[each].get("clusterIP") for each in names] == [None, "None"][: len(names)]


@_each_service
def test_grpc_clients_call_headless_services(name: str) -> None:
    targets = {value for key, value in _environment(name, _BASE).items() if key.endswith("_GRPC_TARGET")}
    services = _in_base("Service")
    headless = {each for each in services if services[each].get("clusterIP") == "None"}
    assert targets <= {f"{each}:{services[each]['ports'][0]['port']}" for each in headless}


@_each_service
def test_a_drain_ends_before_the_kill(name: str) -> None:
    pause = _CONTAINERS[name].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    assert _PODS[name]["terminationGracePeriodSeconds"] > pause + longest_drain(_environment(name, _BASE))


def test_prometheus_scrapes_the_port_for_metrics_of_each_service_as_its_job(tmp_path: Path) -> None:
    # As the discovery of Kubernetes does, a target for each port of a pod. Debian's promtool does not include it.
    found = [
        {
            "targets": [f"10.0.0.1:{port}"],
            "labels": {
                "__meta_kubernetes_pod_name": f"{name}-x",
                "__meta_kubernetes_pod_label_app_kubernetes_io_name": name,
                "__meta_kubernetes_pod_container_port_name": port_name,
            },
        }
        for name, ports in _PORTS.items()
        for port_name, port in ports.items()
    ]
    config = yaml.safe_load((_K8S / "prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    assert job.pop("kubernetes_sd_configs") == [{"role": "pod", "namespaces": {"names": ["taskmesh"]}}]
    job["static_configs"] = found
    path = tmp_path / "prometheus.yml"
    path.write_text(yaml.safe_dump(config))
    checked = subprocess.run(
        [f"{programs()}/promtool", "check", "service-discovery", "--timeout=1s", path, job["job_name"]],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stderr
    scraped = {
        (each["labels"]["job"], each["labels"]["__address__"]) for each in json.loads(checked.stdout) if each["labels"]
    }
    assert scraped == {(name, f"10.0.0.1:{_PORTS[name]['metrics']}") for name in SETTINGS}


def test_all_traffic_is_denied_by_default() -> None:
    assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} in _in_base("NetworkPolicy").values()
