"""`make verify` on the system that it is for: whole, and with a part missing."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.dev.settings import PORTS
from scripts.verify.promises import PHASES
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
        [sys.executable, "-m", "scripts.verify", phase],
        cwd=ROOT,
        env={**inherited, **{name: str(port) for name, port in ports.items()}, "DATA_DIR": str(data)},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("phase", PHASES)
def test_what_runs_keeps_the_promises_of_every_phase(dev: DevRunner, phase: int) -> None:
    ran = _verify(str(phase), dev.ports, dev.data)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("  ok   ") == len(PHASES[phase]) - (phase == 6)  # the dashboards are in containers alone
    assert f"Phase {phase}: all of it works." in ran.stdout


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
def test_a_part_that_is_missing_is_named(dev: DevRunner, phase: int, variable: str, named: str) -> None:
    ran = _verify(str(phase), {**dev.ports, variable: free_port()}, dev.data)
    assert ran.returncode == 1, ran.stdout
    assert "  bad  " in ran.stdout
    assert named in ran.stdout
    assert "do not work." in ran.stdout


def test_where_nothing_runs_it_says_how_to_start(tmp_path: Path) -> None:
    ran = _verify("1", {name: free_port() for name in PORTS}, tmp_path)
    assert (ran.returncode, "Start it with `make dev`" in ran.stdout) == (1, True)


@pytest.mark.parametrize("phase", ["", "0", "8", "two"])
def test_a_phase_that_is_none_is_refused(tmp_path: Path, phase: str) -> None:
    ran = _verify(phase, {}, tmp_path)
    assert (ran.returncode, "usage: make verify PHASE=n" in ran.stderr) == (2, True)
