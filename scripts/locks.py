"""Checks, without the network, that each service owns its dependencies.

The locks pin with hashes what pyproject.toml asks for, all of them the same versions, and a service imports nothing
that its dependency group does not name.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path
from typing import Any

import grimp
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


def requirements_of(project: Mapping[str, Any], group: str) -> list[str]:
    """The requirements of a service: those of its group and of the groups that it includes, and the project's."""
    return [*project["project"]["dependencies"], *_members(project["dependency-groups"], group)]


def _members(groups: Mapping[str, Any], group: str) -> Iterator[str]:
    for member in groups[group]:
        if isinstance(member, str):
            yield member
        else:
            yield from _members(groups, member["include-group"])


def undeclared_imports(packages: Iterable[str], service: str, declared: Iterable[str]) -> list[str]:
    """The packages that a service imports, itself or through others of `packages`, without declaring them.

    Of a namespace package such as `google`, one declared distribution is enough.
    """
    graph = grimp.build_graph(
        *packages, include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
    )
    names = {canonicalize_name(Requirement(line).name) for line in declared}
    imported = {module.partition(".")[0] for module in graph.find_upstream_modules(service, as_package=True)}
    providers = packages_distributions()
    return sorted(
        module
        for module in imported - set(packages) - sys.stdlib_module_names
        if not names & {canonicalize_name(provider) for provider in providers.get(module, ())}
    )


def outdated(root: Path) -> list[str]:
    """What the locks of the project in `root` do not pin as pyproject.toml asks for, a line each."""
    project = _project(root)
    of_services = {
        "chassis/requirements.txt": project["project"]["dependencies"],
        **{f"{service}/requirements.txt": wanted for service, wanted in _services(project).items()},
    }
    locks = {
        "requirements-dev.txt": requirements_of(project, "dev"),
        "requirements-tools.txt": project["dependency-groups"]["tools"],
        "tests/clients/requirements.txt": project["dependency-groups"]["clients"],
        **of_services,
    }
    missing = [lock for lock in locks if not (root / lock).exists()]
    if missing:
        return [f"{lock} is missing: make an empty file of that name first" for lock in missing]
    pins = {lock: read_pins((root / lock).read_text()) for lock in locks}
    tested = pins["requirements-dev.txt"]
    return [
        *(f"{lock} does not pin {each}" for lock, wanted in locks.items() for each in unmet(wanted, pins[lock])),
        *(
            f"{lock} pins {name} {pin}, and requirements-dev.txt {tested.get(name, 'does not')}"
            for lock in sorted(of_services)
            for name, pin in pins[lock].items()
            if tested.get(name) != pin
        ),
        *(
            f"{lock} pins {name}, which nothing there needs"
            for lock in sorted(of_services)
            for name in sorted(pins[lock].keys() - needed(locks[lock]))
            if _requirements(name) is not None
        ),
    ]


def needed(wanted: Iterable[str]) -> set[NormalizedName]:
    """The names of the wanted requirements and of all that these need, as far as it is installed."""
    found: set[tuple[NormalizedName, str]] = set()
    waiting = [Requirement(line) for line in wanted]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras}:
            if (name, extra) not in found:
                found.add((name, extra))
                waiting += [each for each in _requirements(name) or () if _applies(each, extra)]
    return {name for name, _ in found}


def _requirements(name: str) -> list[Requirement] | None:
    try:
        return [Requirement(line) for line in requires(name) or ()]
    except PackageNotFoundError:
        return None


def _applies(requirement: Requirement, extra: str) -> bool:
    # Whatever the platform: locks are for all of them.
    marker = str(requirement.marker or "")
    return f'extra == "{extra}"' in marker if extra else "extra ==" not in marker


def undeclared(root: Path) -> list[str]:
    """What the services of the project in `root` import without declaring it, a line each."""
    project = _project(root)
    packages = [Path(each).name for each in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]]
    return [
        f"{service} imports {module}, which its dependency group in pyproject.toml does not name"
        for service, wanted in _services(project).items()
        for module in undeclared_imports(packages, service, wanted)
    ]


def _project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text())


def _services(project: Mapping[str, Any]) -> dict[str, list[str]]:
    groups = project["dependency-groups"].keys() - {"dev", "tools", "clients"}
    return {group.replace("-", "_"): requirements_of(project, group) for group in sorted(groups)}


if __name__ == "__main__":
    found = [*outdated(Path.cwd()), *undeclared(Path.cwd())]
    print("\n".join(found))
    sys.exit(bool(found))
