"""The checks of `deploy/k8s/`: in order as it is, and each catches what it is there for."""

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

_READ = ("deploy", "docker-compose.yml", "Dockerfile", "pyproject.toml")
_BASE, _EXAMPLE = "deploy/k8s/base", "deploy/k8s/overlays/example"
_TASK, _EDGE, _WEB, _NETWORK = (f"{_BASE}/{name}.yaml" for name in ("task-svc", "edge-api", "web", "network"))
_HERE, _THERE = f"{_BASE}/kustomization.yaml", f"{_EXAMPLE}/kustomization.yaml"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in _READ:
        source = ROOT / name
        shutil.copytree(source, tmp_path / name) if source.is_dir() else shutil.copy(source, tmp_path / name)
    return tmp_path


def test_the_files_of_this_project_are_in_order() -> None:
    assert problems(ROOT) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        # what Kubernetes knows
        (_TASK, "failureThreshold: 60", "failureTreshold: 60", "'failureTreshold' was unexpected"),
        (_TASK, "periodSeconds: 1\n", "periodSeconds: soon\n", "'soon' is not of type"),
        (_TASK, "apiVersion: policy/v1", "apiVersion: policy/v1beta1", "Couldn't find schema"),
        # what this project knows of kustomize
        (_THERE, "replicas:", "patches: []\nreplicas:", "patches is not known"),
        (_THERE, "- stores.yaml", "- storage.yaml", "there is no storage.yaml"),
        (_THERE, "name: taskmesh/web,", "name: taskmesh/wep,", "images: nothing runs taskmesh/wep"),
        (_THERE, "{ name: edge-api, count", "{ name: edge, count", "there is no Deployment edge"),
        (_THERE, "- name: edge-api", "- name: edge", "there is no ConfigMap edge"),
        # pods
        (_HERE, "  - web.yaml\n", "", "images: nothing runs taskmesh/web"),
        (_THERE, "count: 3", "count: 1", "edge-api: one replica is none"),
        (_THERE, "web, newTag: 0.1.0", "web, newTag: 0.0.9", "web: its image is not web:0.1.0"),
        (_TASK, "runAsNonRoot: true", "runAsNonRoot: false", "task-svc: runAsNonRoot must be True"),
        (_TASK, "runAsUser: 10001", "runAsUser: 1000", "task-svc: user and group must be 10001:10001"),
        (_TASK, "type: RuntimeDefault", "type: Unconfined", "task-svc: seccompProfile must be"),
        (
            _TASK,
            "allowPrivilegeEscalation: false",
            "privileged: true",
            "allowPrivilegeEscalation must be False",
        ),
        (_TASK, "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "task-svc: readOnlyRootFilesystem"),
        (_TASK, "drop: [ALL]", "drop: [NET_RAW]", "task-svc: capabilities must be"),
        (_WEB, "automountServiceAccountToken: false", "hostNetwork: true", "web: automountServiceAccountToken must be"),
        (_WEB, "      enableServiceLinks: false\n", "", "web: enableServiceLinks must be False"),
        (_WEB, 'limits: { cpu: "1", memory: 64Mi }', 'limits: { cpu: "1" }', "web: it needs requests and limits"),
        (
            _WEB,
            "requests: { cpu: 10m, memory: 64Mi }",
            "requests: { cpu: 10m, memory: 1Mi }",
            "web: memory that",
        ),
        (
            _TASK,
            "          livenessProbe:",
            "          lifecycle: {}\n          spareProbe:",
            "its livenessProbe does",
        ),
        (_TASK, "service: task.v1.TaskService", 'service: ""', "task-svc: its readinessProbe does not ask"),
        (_EDGE, "path: /readyz", "path: /healthz", "edge-api: its readinessProbe does not ask"),
        (_TASK, "Seconds: 40", "Seconds: 25", "task-svc: a drain may take 25 s"),
        (_HERE, "- DRAIN_NOTICE_SECONDS=5\n      - EDGE", "- DRAIN_NOTICE_SECONDS=30\n      - EDGE", "may take 50 s"),
        # environments and secrets
        (_HERE, "EDGE_HOST=", "EDGE_HOTS=", "edge-api: EDGE_HOTS is none of its settings"),
        (_HERE, "ENVIRONMENT=production\n", "ENVIRONMENT=development\n", "edge-api: ENVIRONMENT must be production"),
        (_THERE, "PUBLIC_ORIGINS=https", "PUBLIC_ORIGINS=ftp", "edge-api: public_origins: "),
        (_THERE, "rediss://notify_svc@", "rediss://notify_svc:secret@", "REDIS_URL must hold no password"),
        (_TASK, "configMapRef: { name: task-svc }", "configMapRef: { name: edge-api }", "not the ConfigMap task-svc"),
        (_TASK, "- secret: { name: mesh-token }", "- secret: { name: mash-token }", "task-svc: it reads the secrets"),
        (_TASK, "- secret: { name: mesh-token }", "- secret: { name: mash-token }", "scripts/secrets makes no mash"),
        # services and budgets
        (_TASK, "containerPort: 50051", "containerPort: 50052", "task-svc: its ports are not [9101, 50051]"),
        (_TASK, "  clusterIP: None", "  sessionAffinity: None", "gRPC alone, needs a Service without an address"),
        (
            _EDGE,
            "spec:\n  selector: {",
            "spec:\n  clusterIP: None\n  selector: {",
            "gRPC alone, needs a Service without",
        ),
        (_TASK, "port: 50051, targetPort", "port: 50050, targetPort", "task-svc: its Service leads to a port"),
        (
            _WEB,
            "spec:\n  selector: { app.kubernetes.io/name: web",
            "spec:\n  selector: { a: web",
            "web: no Service",
        ),
        (_TASK, "maxUnavailable: 1", "minAvailable: 2", "task-svc: it has no PodDisruptionBudget of one"),
        (_TASK, "maxUnavailable: 0", "maxUnavailable: 1", "task-svc: a rollout takes a pod away before another"),
        (_TASK, "minReadySeconds: 10", "minReadySeconds: 1", "task-svc: a rollout takes a pod away before its clients"),
        # who talks to whom
        (
            _NETWORK,
            "podSelector: {}",
            "podSelector: { matchLabels: { a: b } }",
            "no NetworkPolicy refuses what",
        ),
        (_NETWORK, "ports: [{ port: 8080 }]", "ports: [{ port: 8081 }]", "the way in gateway/kong → web → 8081 is not"),
        (
            _NETWORK,
            "ports: [{ port: 50051 }]",
            "ports: [{ port: 50052 }]",
            "edge-api → task-svc → 50051 is missing",
        ),
        (
            _NETWORK,
            "        - podSelector: { matchLabels: { app.kubernetes.io/name: notify-svc } }\n",
            "",
            "is missing",
        ),
        (_NETWORK, "      ports: [{ port: metrics }]\n", "", "monitoring/prometheus → edge-api → any is not allowed"),
        (
            _NETWORK,
            "matchLabels: { kubernetes.io/metadata.name: gateway }",
            "matchLabels: { a: b }",
            "any namespace",
        ),
        (_NETWORK, "10.0.0.0/8, ", "", "the way out notify-svc → anybody → 443 is not allowed"),
        (
            _NETWORK,
            "policyTypes: [Ingress, Egress]\n  ingress",
            "policyTypes: [Egress]\n  ingress",
            "policyTypes must",
        ),
        (f"{_EXAMPLE}/stores.yaml", "cidr: 10.20.0.0/28", "cidr: 0.0.0.0/0", "task-svc → anybody → 27017 is not"),
    ],
)
def test_each_mistake_is_found(copy: Path, file: str, old: str, new: str, problem: str) -> None:
    path = copy / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    assert any(problem in each for each in problems(copy)), problems(copy)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl, which has kustomize in it, is not installed")
def test_kustomize_itself_builds_the_same() -> None:
    built = subprocess.run(["kubectl", "kustomize", ROOT / _EXAMPLE], capture_output=True, check=True, text=True)
    theirs = [_without_hash(resource) for resource in yaml.safe_load_all(built.stdout)]
    assert _in_order(theirs) == _in_order(build(ROOT / _EXAMPLE))


def _without_hash(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_hash(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_hash(each) for each in value]
    if not isinstance(value, str):
        return value
    return re.sub(r"^([a-z0-9]+-(?:api|svc))-[a-z0-9]{10}$", r"\1", value)


def _in_order(resources: list[Resource]) -> list[Resource]:
    return sorted(resources, key=lambda each: (each["kind"], each["metadata"]["name"]))
