"""`make audit`: every lock is looked at, and what could not be looked up is no clean bill."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import ROOT


def _audit(folder: Path, *, pip_audit: str = "exit 0", npm: str = "exit 0") -> subprocess.CompletedProcess[str]:
    (folder / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/audit", folder / "scripts/audit")
    for name, does in ((".venv-tools/bin/pip-audit", pip_audit), (".venv/bin/npm", npm)):
        program = folder / name
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\necho "${{0##*/}} $*"\n{does}\n')
        program.chmod(0o755)
    return subprocess.run([folder / "scripts/audit"], env=os.environ, capture_output=True, text=True)


def test_every_lock_is_scanned(tmp_path: Path) -> None:
    ran = _audit(tmp_path)
    assert ran.returncode == 0, ran.stderr
    locks = [line.split()[-1] for line in ran.stdout.splitlines() if line.startswith("pip-audit ")]
    assert set(locks) == {*(path.name for path in ROOT.glob("requirements*.txt")), "tests/clients/requirements.txt"}
    for folder in ("web", "tests/clients/node"):
        assert f"npm --prefix {folder} audit" in ran.stdout


@pytest.mark.parametrize("fails", [{"pip_audit": "exit 1"}, {"npm": "exit 1"}])
def test_it_fails_and_says_so_when_any_of_them_does(tmp_path: Path, fails: dict[str, str]) -> None:
    ran = _audit(tmp_path, **fails)
    assert ran.returncode == 1
    assert "a database could not be asked" in ran.stderr
    assert "== web/package-lock.json" in ran.stdout


def test_what_cannot_be_looked_up_fails_it() -> None:
    """The real program, sent to a place where nobody answers."""
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    command = next(line for line in (ROOT / "scripts/audit").read_text().splitlines() if "pip-audit" in line)
    ran = subprocess.run(
        ["bash", "-c", f"failed=0; lock=requirements-tools.txt; {command.strip()}; exit $failed"],
        cwd=ROOT,
        env={**os.environ, **nowhere},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1, ran.stdout
