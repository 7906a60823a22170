"""Checks, without the network, that requirements*.txt pin what pyproject.toml asks for, each with its hashes."""

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)(?P<rest>[^\n]*(?:\n    [^\n]*)*)", re.MULTILINE)

Pins = Mapping[NormalizedName, str]


def read_pins(lock: str) -> dict[NormalizedName, str]:
    """The versions in a lock's text by name. Raises ValueError where one has no hash."""
    pins: dict[NormalizedName, str] = {}
    for pin in _PIN.finditer(lock):
        if "--hash=sha256:" not in pin["rest"]:
            msg = f"{pin['name']} is pinned without a hash"
            raise ValueError(msg)
        pins[canonicalize_name(pin["name"])] = pin["version"]
    return pins


def unmet(wanted: Iterable[str], pins: Pins) -> list[str]:
    """Those of the wanted requirements that the pins do not fulfil."""
    return [line for line in wanted if not _met(Requirement(line), pins)]


def _met(requirement: Requirement, pins: Pins) -> bool:
    pin = pins.get(canonicalize_name(requirement.name))
    return pin is not None and requirement.specifier.contains(pin, prereleases=True)


def problems(root: Path) -> list[str]:
    """What is wrong with the locks of the project in `root`, a line each."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    runtime, groups = project["project"]["dependencies"], project["dependency-groups"]
    dev, tools = groups["dev"], groups["tools"]
    run_pins = read_pins((root / "requirements.txt").read_text())
    dev_pins = read_pins((root / "requirements-dev.txt").read_text())
    tool_pins = read_pins((root / "requirements-tools.txt").read_text())
    return [
        *(f"requirements.txt does not pin {each}" for each in unmet(runtime, run_pins)),
        *(f"requirements-dev.txt does not pin {each}" for each in unmet([*runtime, *dev], dev_pins)),
        *(f"requirements-tools.txt does not pin {each}" for each in unmet(tools, tool_pins)),
        *(f"the locks of the services differ in {name}" for name, pin in run_pins.items() if dev_pins.get(name) != pin),
    ]


if __name__ == "__main__":
    found = problems(Path.cwd())
    print("\n".join(found))
    sys.exit(bool(found))
