"""`make audit` scans every lock, and fails if one scan fails."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import ROOT


def _audit(folder: Path, *, pip_audit: int = 0, npm: int = 0) -> subprocess.CompletedProcess[str]:
    (folder / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/audit", folder / "scripts/audit")
    for name, status in ((".venv-tools/bin/pip-audit", pip_audit), (".venv/bin/npm", npm)):
        program = folder / name
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\necho "${{0##*/}} $*"\nexit {status}\n')
        program.chmod(0o755)
    return subprocess.run([folder / "scripts/audit"], env=os.environ, capture_output=True, text=True)


def test_every_lock_is_scanned(tmp_path: Path) -> None:
    ran = _audit(tmp_path)
    assert ran.returncode == 0, ran.stderr
    locks = [line.split()[-1] for line in ran.stdout.splitlines() if line.startswith("pip-audit ")]
    assert set(locks) == {*(path.name for path in ROOT.glob("requirements*.txt")), "tests/clients/requirements.txt"}
    for folder in ("web", "tests/clients/node"):
        assert f"npm --prefix {folder} audit" in ran.stdout


@pytest.mark.parametrize("failing", [{"pip_audit": 1}, {"npm": 1}])
def test_one_failed_scan_fails_the_audit_after_all_scans(tmp_path: Path, failing: dict[str, int]) -> None:
    ran = _audit(tmp_path, **failing)
    assert ran.returncode == 1
    assert "npm --prefix tests/clients/node audit" in ran.stdout
