"""`python -m scripts.new_service NAME`: writes the service into the checkout; nothing, when it cannot be done whole."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from scripts.containers.variables import SETTINGS
from scripts.new_service.insertion_points import ADDITIONS, Moved

_TEMPLATES = Path(__file__).parent / "templates"
_FILES = {
    "protos": "protos/@name@/v1/@name@.proto",
    "service": "@name@_svc/",
    "tests_unit": "tests/unit/@name@_svc/",
    "tests_integration": "tests/integration/test_@name@_service.py",
    "docs": "docs/@name@-svc.md",
    "k8s": "deploy/k8s/base/@name@-svc.yaml",
    "dashboards": "scripts/dashboards/@name@_svc.py",
}
"""Where the files of each template go."""
_NAME = re.compile(r"[a-z][a-z0-9]{1,19}")


def main(root: Path, name: str) -> int:
    """Writes the service `name`; returns the exit status."""
    if problem := _refused(root, name):
        sys.stderr.write(f"make new-service: NAME={name}: {problem}\n")
        return 1
    words = _words(root, name)
    try:
        texts = (*_new(root), *_changed(root))
    except Moved as error:
        sys.stderr.write(f"make new-service: scripts/new_service/insertion_points.py is out of date: {error}\n")
        return 1
    files = {root / _filled(path, words): _filled(text, words) for path, text in texts}
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(["scripts/gen"], cwd=root, check=True)
    subprocess.run([".venv/bin/ruff", "check", "--fix-only", "--quiet"], cwd=root, check=True)
    subprocess.run([".venv/bin/ruff", "format", "--quiet"], cwd=root, check=True)
    subprocess.run([".venv/bin/python", "-m", "scripts.dashboards"], cwd=root, check=True)
    subprocess.run(
        [".venv/bin/python", "-m", "scripts.docs_check", "write"], cwd=root, check=True, stdout=subprocess.DEVNULL
    )
    print(_filled(_DONE, words))
    return 0


_DONE = """\
The service @name@ is there: gRPC on port @grpc_port@, metrics on @metrics_port@. `git status` shows what it is, and
  make check
  make test ARGS='tests/unit/@name@_svc tests/integration/test_@name@_service.py'
that it works. `make dev` starts it with the rest. docs/@name@-svc.md says what to do next."""


def _refused(root: Path, name: str) -> str | None:
    if not _NAME.fullmatch(name):
        return "must be one word of 2 to 20 lower-case letters and digits"
    if (root / f"{name}_svc").exists():
        return f"there is a service of that name already, in {name}_svc/"
    if importlib.util.find_spec(name) or importlib.util.find_spec(f"{name}_svc"):
        return "there is a Python package of that name, which it would hide"
    return None


def _words(root: Path, name: str) -> Mapping[str, str]:
    taken = [fields["grpc_port"].default for each in SETTINGS.values() if "grpc_port" in (fields := each.model_fields)]
    metrics = [each.model_fields["metrics_port"].default for each in SETTINGS.values()]
    return {
        "name": name,
        "Name": name.capitalize(),
        "NAME": name.upper(),
        "grpc_port": str(max(taken) + 1),
        "metrics_port": str(max(metrics) + 1),
        "version": tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"],
    }


def _new(root: Path) -> Iterator[tuple[str, str]]:
    # Its dependency group is empty at first, so its lock is that of the chassis.
    yield "@name@_svc/requirements.txt", (root / "chassis/requirements.txt").read_text()
    for folder, place in _FILES.items():
        for template in sorted((_TEMPLATES / folder).iterdir()):
            path = f"{place}{template.name.removesuffix('.txt')}" if place.endswith("/") else place
            yield path, template.read_text()


def _changed(root: Path) -> Iterator[tuple[str, str]]:
    contents = {addition.file: (root / addition.file).read_text() for addition in ADDITIONS}
    for addition in ADDITIONS:
        contents[addition.file] = addition.to(contents[addition.file])
    yield from contents.items()


def _filled(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"@(\w+)@", lambda found: words.get(found[1], found[0]), text)


if __name__ == "__main__":
    sys.exit(main(Path.cwd(), sys.argv[1] if len(sys.argv) > 1 else ""))
