"""`make drill` with a running `make dev`: it injects the fault, removes it, and reports the cause."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT
from tests.support.stack.dev_runner import running


@pytest.mark.slow
@pytest.mark.parametrize(("number", "cause"), [(2, "dead notifier"), (4, "error burst")])
def test_a_drill_ends_after_its_time_and_restores_the_mesh(tmp_path: Path, number: int, cause: str) -> None:
    with running(tmp_path) as dev:
        dev.wait_for("Taskmesh is up")
        ports = {name: str(port) for name, port in dev.ports.items()}
        environment = {**os.environ, **ports, "DATA_DIR": str(tmp_path)}
        command = [sys.executable, "-m", "scripts.drill", str(number), "--seconds", "3"]
        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr
        assert f"The fault was: {cause}" in ran.stdout
        states = {process.status() for process in dev.descendants().values()}
        assert "stopped" not in states


def test_a_drill_fails_with_a_message_if_nothing_runs(tmp_path: Path) -> None:
    environment = {**os.environ, "EDGE_PORT": "1", "PATH": str(tmp_path)}
    command = [sys.executable, "-m", "scripts.drill", "1"]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert "neither `make dev` nor `make up` is running" in ran.stderr
