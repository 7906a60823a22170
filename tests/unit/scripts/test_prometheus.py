"""`scripts/prometheus` finds what proves the rules, or says loudly that it cannot."""

import os
import shutil
import subprocess
from pathlib import Path

from tests import ROOT

_SCRIPT = ROOT / "scripts/prometheus"
_NEEDED = ("bash", "dirname")


def _run(checkout: Path, *folders: Path) -> "subprocess.CompletedProcess[str]":
    script = checkout / "scripts/prometheus"
    script.parent.mkdir(parents=True)
    shutil.copy(_SCRIPT, script)
    path = ":".join(map(str, (*folders, _tools(checkout))))
    return subprocess.run(["bash", script], env={**os.environ, "PATH": path}, capture_output=True, text=True)


def _tools(checkout: Path) -> Path:
    """A folder with the little that the script needs, and no apt."""
    tools = checkout / "tools"
    tools.mkdir()
    for name in _NEEDED:
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(found)
    return tools


def _program(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)


def test_what_is_on_the_path_is_taken(tmp_path: Path) -> None:
    for name in ("prometheus", "promtool"):
        _program(tmp_path / "own" / name)
    assert _run(tmp_path / "checkout", tmp_path / "own").stdout.strip() == str(tmp_path / "own")


def test_where_it_can_neither_be_found_nor_fetched_that_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    _program(tmp_path / "own" / "prometheus")  # alone it is not enough
    ended = _run(tmp_path / "checkout", tmp_path / "own")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Install Prometheus" in ended.stderr
