"""`make verify` on a running system: complete, and with a missing part."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.dev.settings import PORTS
from scripts.doctor.phases import PHASES
from tests import ROOT
from tests.support.ports import free_port
from tests.support.stack.dev_runner import DevRunner, running


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevRunner]:
    with running(tmp_path_factory.mktemp("verify"), cwd=ROOT) as runner:
        runner.wait_for("Taskmesh is up")
        yield runner


def _verify(phase: str, ports: dict[str, int], data: Path) -> subprocess.CompletedProcess[str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "scripts.doctor", "--phase", phase],
        cwd=ROOT,
        env={**inherited, **{name: str(port) for name, port in ports.items()}, "DATA_DIR": str(data)},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("phase", PHASES)
def test_a_running_system_passes_the_checks_of_every_phase(dev: DevRunner, phase: int) -> None:
    ran = _verify(str(phase), dev.ports, dev.data)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("  ok   ") == len(PHASES[phase]) - (phase == 6)  # the dashboards run only in containers
    assert f"Phase {phase}: all checks pass." in ran.stdout


_MISSING = [
    (1, "REDIS_PORT", "queue"),
    (2, "TASK_GRPC_PORT", "task_svc"),
    (3, "NOTIFY_GRPC_PORT", "notify_svc"),
    (4, "GATEWAY_PORT", "ConnectError"),
    (5, "GATEWAY_PORT", "ConnectError"),
    (6, "EDGE_METRICS_PORT", "metrics of edge_api"),
    (7, "NOTIFY_GRPC_PORT", "notify_svc"),
]


@pytest.mark.parametrize(("phase", "variable", "named"), _MISSING)
def test_a_missing_part_is_reported(dev: DevRunner, phase: int, variable: str, named: str) -> None:
    ran = _verify(str(phase), {**dev.ports, variable: free_port()}, dev.data)
    assert ran.returncode == 1, ran.stdout
    assert "  bad  " in ran.stdout
    assert named in ran.stdout
    assert "checks fail." in ran.stdout


def test_it_explains_how_to_start_if_nothing_runs(tmp_path: Path) -> None:
    ran = _verify("1", {name: free_port() for name in PORTS}, tmp_path)
    assert (ran.returncode, "Start the system with `make dev`" in ran.stdout) == (1, True)


@pytest.mark.parametrize("phase", ["", "0", "8", "two"])
def test_an_invalid_phase_is_rejected(tmp_path: Path, phase: str) -> None:
    ran = _verify(phase, {}, tmp_path)
    assert (ran.returncode, "make verify PHASE=n" in ran.stderr) == (2, True)
