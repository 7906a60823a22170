"""The checks of `deploy/k8s/` pass, and each rule detects a violation."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.k8s.__main__ import problems
from scripts.k8s.kustomization import Resource, build
from tests import ROOT

_BASE, _EXAMPLE = "deploy/k8s/base", "deploy/k8s/overlays/example"
_TASK, _EDGE, _WEB, _NETWORK = (f"{_BASE}/{name}.yaml" for name in ("task-svc", "edge-api", "web", "network"))
_OF_BASE, _OF_EXAMPLE = f"{_BASE}/kustomization.yaml", f"{_EXAMPLE}/kustomization.yaml"


def test_the_manifests_keep_every_rule() -> None:
    assert problems(ROOT) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        # schemas
        (_TASK, "failureThreshold: 60", "failureTreshold: 60", "'failureTreshold' was unexpected"),
        (_TASK, "apiVersion: policy/v1", "apiVersion: policy/v1beta1", "Couldn't find schema"),
        # kustomizations
        (_OF_EXAMPLE, "replicas:", "patches: []\nreplicas:", "patches is not supported"),
        (_OF_EXAMPLE, "- stores.yaml", "- storage.yaml", "storage.yaml does not exist"),
        (_OF_EXAMPLE, "name: taskmesh/web,", "name: taskmesh/wep,", "no Deployment uses taskmesh/wep"),
        # pods
        (_OF_EXAMPLE, "count: 3", "count: 1", "edge-api: it needs two replicas"),
        (_OF_EXAMPLE, "web, newTag: 0.1.0", "web, newTag: 0.0.9", "web: its image must be web:0.1.0"),
        (_TASK, "runAsNonRoot: true", "runAsNonRoot: false", "task-svc: runAsNonRoot must be True"),
        (_TASK, "drop: [ALL]", "drop: [NET_RAW]", "task-svc: capabilities must be"),
        (_WEB, 'limits: { cpu: "1", memory: 64Mi }', 'limits: { cpu: "1" }', "web: it needs requests and limits"),
        (_WEB, "cpu: 10m, memory: 64Mi", "cpu: 10m, memory: 1Mi", "web: its memory request must equal"),
        (_TASK, "          livenessProbe:", "          lifecycle: {}\n          spareProbe:", "its livenessProbe must"),
        (_TASK, "service: task.v1.TaskService", 'service: ""', "task-svc: its readinessProbe must be"),
        (
            _TASK,
            "Seconds: 40",
            "Seconds: 25",
            "must exceed the longest drain, 25 s",
        ),
        # environments and secrets
        (_OF_BASE, "EDGE_HOST=", "EDGE_HOTS=", "edge-api: EDGE_HOTS is not one of its settings"),
        (_OF_EXAMPLE, "PUBLIC_ORIGINS=https", "PUBLIC_ORIGINS=ftp", "edge-api: public_origins: "),
        (_TASK, "configMapRef: { name: task-svc }", "configMapRef: { name: edge-api }", "be the ConfigMap task-svc"),
        (_TASK, "- secret: { name: mesh-token }", "- secret: { name: mash-token }", "task-svc: it reads the secrets"),
        # services and rollouts
        (_TASK, "containerPort: 50051", "containerPort: 50052", "task-svc: its container ports must be [9101, 50051]"),
        (_TASK, "  clusterIP: None", "  sessionAffinity: None", "task-svc: its Service must be headless"),
        (_TASK, "port: 50051, targetPort", "port: 50050, targetPort", "task-svc: its Service must forward to a port"),
        (_WEB, "selector: { app.kubernetes.io/name: web", "selector: { a: web", "web: it needs a Service"),
        (_TASK, "maxUnavailable: 1", "minAvailable: 2", "task-svc: it needs a PodDisruptionBudget"),
        (_TASK, "maxUnavailable: 0", "maxUnavailable: 1", "task-svc: maxUnavailable must be 0"),
        (_TASK, "minReadySeconds: 10", "minReadySeconds: 1", "task-svc: minReadySeconds must be"),
        # network policies
        (_NETWORK, "podSelector: {}", "podSelector: { matchLabels: { a: b } }", "no NetworkPolicy denies"),
        (_NETWORK, "ports: [{ port: 8080 }]", "ports: [{ port: 8081 }]", "gateway/kong → web → 8081 must not be"),
        (_NETWORK, "ports: [{ port: 50051 }]", "ports: [{ port: 50052 }]", "edge-api → task-svc → 50051 is missing"),
        (_NETWORK, "10.0.0.0/8, ", "", "notify-svc → any address → 443 must not be allowed"),
        (_NETWORK, "[Ingress, Egress]\n  ingress", "[Egress]\n  ingress", "policyTypes must be"),
        (f"{_EXAMPLE}/stores.yaml", "cidr: 10.20.0.0/28", "cidr: 0.0.0.0/0", "task-svc → any address → 27017 must not"),
    ],
)
def test_each_violation_is_detected(tmp_path: Path, file: str, old: str, new: str, problem: str) -> None:
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    for name in ("docker-compose.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    text = (tmp_path / file).read_text()
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1))
    assert any(problem in each for each in problems(tmp_path)), problems(tmp_path)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_builds_the_same_resources() -> None:
    built = subprocess.run(["kubectl", "kustomize", ROOT / _EXAMPLE], capture_output=True, check=True, text=True)
    theirs = [_without_hash(resource) for resource in yaml.safe_load_all(built.stdout)]
    assert _sorted(theirs) == _sorted(build(ROOT / _EXAMPLE))


def _without_hash(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_hash(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_hash(each) for each in value]
    if not isinstance(value, str):
        return value
    return re.sub(r"^([a-z0-9]+-(?:api|svc))-[a-z0-9]{10}$", r"\1", value)


def _sorted(resources: list[Resource]) -> list[Resource]:
    return sorted(resources, key=lambda each: (each["kind"], each["metadata"]["name"]))
