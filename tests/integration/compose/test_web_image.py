"""The image of the page, as far as that shows without containers."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from scripts.containers.project import Project
from tests import ROOT
from tests.support.stack.page import built_page

_BIN = Path(sys.executable).parent


def _copy(sources: Sequence[str], target: Path) -> None:
    for source in sources:
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("generated"))
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, target)


def _run(command: Sequence[Path | str], folder: Path) -> str:
    environment = {**os.environ, "PATH": f"{_BIN}:{os.environ['PATH']}"}
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def _names(build: Path) -> set[str]:
    """What lies at the top: below it, names hold hashes."""
    return {path.name for path in build.iterdir() if not path.name.startswith(".")}


@pytest.mark.slow
def test_it_gets_all_that_the_page_is_made_from(tmp_path: Path) -> None:
    web, document = tmp_path / "web", tmp_path / ".cache/openapi.json"
    for taken, sources, target in Project.read(ROOT).stages["page"].copies():
        if taken is None:
            _copy(sources, web / target)
    (web / "node_modules").symlink_to(ROOT / "web/node_modules")
    document.parent.mkdir()
    document.write_text(_run([_BIN / "python", "-m", "edge_api.openapi"], ROOT))
    for script in ("types", "build"):
        _run([_BIN / "npm", "run", script], web)
    assert _names(web / "build") == _names(built_page())
