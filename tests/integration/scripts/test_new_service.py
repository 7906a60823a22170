"""`make new-service` in a copy of the checkout: the new service works, and passes all checks and its own tests."""

import os
import re
import subprocess
from pathlib import Path

import httpx
import pytest

from scripts.dev.settings import PORTS
from tests.support.checkout import copy_checkout, modules_of
from tests.support.ports import free_port
from tests.support.stack.dev_runner import running


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    copy_checkout(tmp_path)
    return tmp_path


def _run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env={**os.environ, **modules_of(folder)}, capture_output=True, text=True)


def _make(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    return _run(folder, ".venv/bin/python", "-m", "scripts.new_service", name)


def _files(folder: Path) -> dict[Path, bytes]:
    kept = (path for path in folder.rglob("*") if path.is_file() and not {".git", "__pycache__"} & {*path.parts})
    return {path: path.read_bytes() for path in kept}


@pytest.mark.slow
def test_make_dev_starts_a_new_service(copy: Path) -> None:
    made = _make(copy, "label")
    assert made.returncode == 0, made.stderr
    port, metrics_port = free_port(), free_port()
    variables = {"LABEL_GRPC_PORT": str(port), "LABEL_METRICS_PORT": str(metrics_port), **modules_of(copy)}
    with running(copy / ".data", cwd=copy, variables=variables) as dev:
        dev.wait_for("Taskmesh is up")
        assert re.search(rf"^  label_svc +127.0.0.1:{port} \(gRPC\)$", dev.output, re.MULTILINE)
        metrics = httpx.get(f"http://127.0.0.1:{metrics_port}/metrics", trust_env=False).text
        assert 'grpc_service_ready{grpc_service="label.v1.LabelService"} 1.0' in metrics


@pytest.mark.slow
def test_two_new_services_pass_all_checks_their_own_tests_and_the_affected_ones(copy: Path) -> None:
    first, second = PORTS["NOTIFY_GRPC_PORT"] + 1, PORTS["NOTIFY_METRICS_PORT"] + 1
    for number, name in enumerate(("label", "digest")):
        made = _make(copy, name)
        assert made.returncode == 0, made.stderr
        assert f"gRPC on port {first + number}, metrics on {second + number}" in made.stdout
    assert "label" not in (copy / "kong/kong.yml").read_text(), "clients must not have access yet"
    checked = _run(copy, "scripts/check")
    assert checked.returncode == 0, checked.stdout
    folders = ("label_svc", "digest_svc", "scripts", "deploy", "monitoring", "docs_check")
    units = [f"tests/unit/{name}" for name in (*folders, "test_wheel.py", "test_project_files.py")]
    own = [f"tests/integration/test_{name}_service.py" for name in ("label", "digest")]
    tested = _run(copy, ".venv/bin/pytest", "-q", "-n", "2", "-p", "no:cacheprovider", *units, *own)
    assert tested.returncode == 0, tested.stdout


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", "one word"),
        ("my-label", "one word"),
        ("../label", "one word"),
        ("task", "task_svc/ already exists"),
        ("email", "would hide"),
        ("edge", "out of date"),
    ],
)
def test_if_a_service_cannot_be_created_nothing_is_written(copy: Path, name: str, error: str) -> None:
    if error == "out of date":
        (copy / "Dockerfile").write_text("FROM scratch\n")
    before = _files(copy)
    refused = _make(copy, name)
    assert refused.returncode == 1
    assert error in refused.stderr
    assert _files(copy) == before
