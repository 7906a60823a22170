"""`python -m scripts.locks`: check the locks and the declared dependencies of each service, without the network.

The locks satisfy pyproject.toml, all of them pin the same versions with hashes, and each service declares every
package that it imports, also through `chassis`.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import grimp
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)(?P<rest>[^\n]*(?:\n    [^\n]*)*)", re.MULTILINE)
_NOT_SERVICES = {"dev", "tools", "clients"}


def read_pins(lock: str) -> dict[NormalizedName, str]:
    """The pinned versions in a lock's text by package name. Raise ValueError for a pin without a hash."""
    pins: dict[NormalizedName, str] = {}
    for pin in _PIN.finditer(lock):
        if "--hash=sha256:" not in pin["rest"]:
            msg = f"{pin['name']} is pinned without a hash"
            raise ValueError(msg)
        pins[canonicalize_name(pin["name"])] = pin["version"]
    return pins


def outdated(root: Path) -> Iterator[str]:
    """The differences between the locks and pyproject.toml in `root`, and between the locks."""
    project = _project(root)
    groups = project["dependency-groups"]
    locks = {
        "requirements-dev.txt": _requirements(project, "dev"),
        "requirements-tools.txt": groups["tools"],
        "tests/clients/requirements.txt": groups["clients"],
        "chassis/requirements.txt": project["project"]["dependencies"],
    }
    locks |= {f"{name}/requirements.txt": wanted for name, wanted in _services(project).items()}
    pins = {lock: read_pins((root / lock).read_text() if (root / lock).exists() else "") for lock in locks}
    for lock, wanted in locks.items():
        for requirement in map(Requirement, wanted):
            pin = pins[lock].get(canonicalize_name(requirement.name))
            if pin is None or not requirement.specifier.contains(pin, prereleases=True):
                yield f"{lock} pins {requirement.name} {pin or 'not at all'}; pyproject.toml requires {requirement}"
    tested = pins["requirements-dev.txt"]
    for lock in (each for each in locks if each.count("/") == 1):
        for name, pin in pins[lock].items():
            if tested.get(name) != pin:
                yield f"{lock} pins {name} {pin}; requirements-dev.txt pins {tested.get(name)}"


def undeclared(root: Path) -> Iterator[str]:
    """The packages that services in `root` import and do not declare."""
    project = _project(root)
    packages = [Path(each).name for each in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]]
    for service, wanted in _services(project).items():
        for module in undeclared_imports(packages, service, wanted):
            yield f"{service} imports {module}; its dependency group in pyproject.toml does not contain it"


def undeclared_imports(packages: Iterable[str], service: str, declared: Iterable[str]) -> list[str]:
    """The modules that `service` imports, also through others of `packages`, and that no declared package provides.

    For a namespace package such as `google`, one declared distribution is enough.
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


def _project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text())


def _services(project: Mapping[str, Any]) -> dict[str, list[str]]:
    groups = project["dependency-groups"].keys() - _NOT_SERVICES
    return {group.replace("-", "_"): _requirements(project, group) for group in sorted(groups)}


def _requirements(project: Mapping[str, Any], group: str) -> list[str]:
    return [*project["project"]["dependencies"], *_members(project["dependency-groups"], group)]


def _members(groups: Mapping[str, Any], group: str) -> Iterator[str]:
    for member in groups[group]:
        if isinstance(member, str):
            yield member
        else:
            yield from _members(groups, member["include-group"])


if __name__ == "__main__":
    found = [*outdated(Path.cwd()), *undeclared(Path.cwd())]
    print("\n".join(found))
    sys.exit(bool(found))
