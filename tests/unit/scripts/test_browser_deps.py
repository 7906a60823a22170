"""What the tests in a browser need and do not bring: it is installed where that may be, and asked for elsewhere."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import ROOT

_SCRIPT = ROOT / "scripts/browser-deps"


def _command(folder: Path, name: str, does: str = "") -> None:
    (folder / name).write_text(f"#!/bin/sh\n{does}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """A PATH with bash, and nothing of what is needed but an nginx."""
    for name in ("bash", "cat"):
        found = shutil.which(name)
        assert found
        (tmp_path / name).symlink_to(found)
    _command(tmp_path, "nginx")
    _command(tmp_path, "apt-get", f'echo "$*" >>{tmp_path}/asked')
    return tmp_path


def _run(commands: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(commands), **variables}
    return subprocess.run([shutil.which("bash") or "bash", _SCRIPT], env=environment, capture_output=True, text=True)


def test_who_may_not_install_is_told_what_is_missing_and_how_to_get_it(commands: Path) -> None:
    _command(commands, "id", "echo 1000")
    ran = _run(commands)
    assert ran.returncode == 1
    assert "CANNOT RUN: this machine lacks chromium.\n" in ran.stderr
    assert "sudo apt-get install chromium\n" in ran.stderr


def test_who_may_install_has_it_done_without_a_question(commands: Path) -> None:
    _command(commands, "id", "echo 0")
    assert _run(commands).returncode == 0
    update, install = (commands / "asked").read_text().splitlines()
    assert update.split()[0] == "update"
    assert {"install", "--yes", "chromium"} <= set(install.split())
    assert "nginx-light" not in install


def test_what_is_there_is_enough_and_another_chromium_will_do(commands: Path) -> None:
    _command(commands, "my-browser")
    assert _run(commands, CHROMIUM=str(commands / "my-browser")).returncode == 0
    assert not (commands / "asked").exists()
    assert os.access(_SCRIPT, os.X_OK)
