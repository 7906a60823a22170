"""A copy of this checkout, for tests of commands that change it."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests import ROOT

_INSTALLED = (".venv", ".venv-tools", "web/node_modules")


def copy_checkout(folder: Path) -> None:
    """Copy all files that git does not ignore into `folder`, and link the installed packages.

    `make` does not install anything in the copy, because it would change the shared .venv.
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
    """Return the environment variables that make Python import the modules of the copy instead of this checkout."""
    return {"PYTHONPATH": os.pathsep.join((str(folder), str(folder / "gen")))}
