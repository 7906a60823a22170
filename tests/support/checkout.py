"""A copy of this checkout to change, for tests of what changes a checkout."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests import ROOT

_INSTALLED = (".venv", ".venv-tools", "web/node_modules")


def copy_checkout(folder: Path) -> None:
    """Copies all but what git ignores into `folder`, with what is installed here.

    Nothing is installed in the copy: `make` would do so into the .venv that it shares.
    """
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    for name in _INSTALLED:
        (folder / name).symlink_to(ROOT / name)
    (folder / "scripts/install").write_text("#!/bin/sh\n")
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=folder, check=True)


def modules_of(folder: Path) -> Mapping[str, str]:
    """The variables with which Python takes the modules of a copy, and not those that .venv was made for."""
    return {"PYTHONPATH": os.pathsep.join((str(folder), str(folder / "gen")))}
