"""A drill on a real Docker engine leaves no container and no process behind, whenever it is interrupted."""

import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests import ROOT
from tests.support.ports import free_port

# Stand-ins for two services of docker-compose.yml: the load never gets a response, and mongosh runs until it is killed.
_PROJECT = """
services:
  edge-api: &service
    image: IMAGE
    network_mode: none
    command: [sleep, "300"]
    environment: { MESH_TOKEN_FILE: /packages/token, PYTHONPATH: /packages }
    configs: [{ source: token, target: /packages/token }, { source: urllib3, target: /packages/urllib3.py }]
  mongo-init:
    <<: *service
    configs: [{ source: mongosh, target: /usr/local/bin/mongosh, mode: 0755 }]
configs:
  token: { content: token }
  urllib3:
    content: |
      class exceptions: HTTPError = AttributeError
      class PoolManager:
        def __init__(self, **options): pass
  mongosh:
    content: |
      #!/bin/sh
      case "$$*" in *"ROUNDS = 0"*) ;; *) sleep 300 ;; esac
"""


def _docker(*arguments: str) -> str:
    if shutil.which("docker") is None:
        return ""
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=60).stdout.strip()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A running Compose project, for scripts/compose too; its name."""
    images = _docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "python").splitlines()
    if not images:
        pytest.skip("there is no Docker engine with an image of Python")
    name = f"drilltest-{secrets.token_hex(4)}"
    (tmp_path / "compose.yml").write_text(_PROJECT.replace("IMAGE", images[0]))
    for variable, value in {
        "COMPOSE_FILE": str(tmp_path / "compose.yml"),
        "COMPOSE_PROJECT_NAME": name,
        "COMPOSE_PROFILES": "",
        "EDGE_PORT": str(free_port()),
    }.items():
        monkeypatch.setenv(variable, value)
    subprocess.run([ROOT / "scripts/compose", "up", "--detach", "edge-api"], check=True, capture_output=True)
    yield name
    _docker("rm", "--force", f"{name}-drill")
    subprocess.run([ROOT / "scripts/compose", "down", "--timeout", "0"], check=True, capture_output=True)


def _load(project: str) -> str:
    return _docker("exec", f"{project}-edge-api-1", "sh", "-c", "grep -l py[t]hon /proc/[0-9]*/cmdline")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("listed", [None, ("ps", "--all"), ("ps",)], ids=["at once", "created", "running"])
def test_an_interrupted_drill_leaves_nothing_behind(
    project: str, number: signal.Signals, listed: Sequence[str] | None
) -> None:
    command = [sys.executable, "-m", "scripts.drill", "1"]
    drill = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert drill.stdout is not None
    assert "Saving a task takes seconds" in drill.stdout.readline()
    while listed and not (f"{project}-drill" in _docker(*listed, "--format", "{{.Names}}") and _load(project)):
        assert drill.poll() is None
    drill.send_signal(number)
    output, _ = drill.communicate(timeout=60)
    assert (drill.returncode, output.splitlines()[-1]) == (0, "The fault is undone.")
    assert _docker("ps", "--all", "--format", "{{.Names}}", "--filter", f"name={project}") == f"{project}-edge-api-1"
    assert _load(project) == ""
