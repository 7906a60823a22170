"""`make drill` with a running `make dev`: it shows where to look, grades the answer, and undoes the fault."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.drill.drills import CAUSES, DRILLS
from tests import ROOT
from tests.support.stack.dev_runner import running

_WRONG = CAUSES.index("Redis is unavailable.") + 1


@pytest.mark.slow
def test_each_drill_asks_for_the_cause_and_restores_the_mesh(tmp_path: Path) -> None:
    with running(tmp_path) as dev:
        dev.wait_for("Taskmesh is up")
        ports = {name: str(port) for name, port in dev.ports.items()}
        environment = {**os.environ, **ports, "DATA_DIR": str(tmp_path)}
        for number, drill in DRILLS.items():
            right = CAUSES.index(drill.cause) + 1
            command = [sys.executable, "-m", "scripts.drill", str(number)]
            answers = f"{_WRONG}\n{right}\n"
            ran = subprocess.run(
                command, cwd=ROOT, env=environment, input=answers, capture_output=True, text=True, timeout=60
            )
            assert ran.returncode == 0, ran.stderr
            assert f"http://127.0.0.1:{ports['TASK_METRICS_PORT']}/metrics" in ran.stdout
            assert "Grafana" not in ran.stdout
            assert f"{_WRONG} is not the right number." in ran.stdout
            assert f"\nRight.\nThe fault was: {drill.name}." in ran.stdout
            states = {process.status() for process in dev.descendants().values()}
            assert "stopped" not in states


def test_a_drill_fails_with_a_message_if_nothing_runs(tmp_path: Path) -> None:
    environment = {**os.environ, "EDGE_PORT": "1", "PATH": str(tmp_path)}
    command = [sys.executable, "-m", "scripts.drill", "1"]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert "neither `make dev` nor `make up` is running" in ran.stderr
