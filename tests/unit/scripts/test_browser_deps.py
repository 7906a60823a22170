"""`scripts/browser-deps` installs the missing programs of the browser tests, or names them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests import ROOT


def _command(folder: Path, name: str, does: str = "") -> None:
    (folder / name).write_text(f"#!/bin/sh\n{does}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """A PATH with bash, apt-get and nginx, but without Chromium."""
    for name in ("bash", "cat"):
        found = shutil.which(name)
        assert found
        (tmp_path / name).symlink_to(found)
    _command(tmp_path, "nginx")
    _command(tmp_path, "apt-get", f'echo "$*" >>{tmp_path}/apt-get.log')
    return tmp_path


def _run(commands: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [shutil.which("bash") or "bash", str(ROOT / "scripts/browser-deps")]
    return subprocess.run(command, env={"PATH": str(commands), **variables}, capture_output=True, text=True)


def test_without_root_it_names_the_missing_programs(commands: Path) -> None:
    _command(commands, "id", "echo 1000")
    ran = _run(commands)
    assert ran.returncode == 1
    assert "sudo apt-get install chromium\n" in ran.stderr


def test_with_root_it_installs_the_missing_programs(commands: Path) -> None:
    _command(commands, "id", "echo 0")
    assert _run(commands).returncode == 0
    update, install = (commands / "apt-get.log").read_text().splitlines()
    assert update.split()[0] == "update"
    assert {"install", "--yes", "chromium"} <= set(install.split())
    assert "nginx-light" not in install


def test_another_chromium_is_sufficient(commands: Path) -> None:
    _command(commands, "my-browser")
    assert _run(commands, CHROMIUM=str(commands / "my-browser")).returncode == 0
    assert not (commands / "apt-get.log").exists()
