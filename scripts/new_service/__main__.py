"""`python -m scripts.new_service NAME`: write a new service into the checkout, or nothing if a step cannot succeed."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from scripts.containers.variables import SETTINGS
from scripts.new_service.insertion_points import INSERTIONS, AnchorMismatch

_TEMPLATES = Path(__file__).parent / "templates"
_DESTINATIONS = {
    "protos": "protos/@name@/v1/@name@.proto",
    "service": "@name@_svc/",
    "tests_unit": "tests/unit/@name@_svc/",
    "tests_integration": "tests/integration/test_@name@_service.py",
    "docs": "docs/@name@-svc.md",
    "k8s": "deploy/k8s/base/@name@-svc.yaml",
}
"""The destination of each folder of templates."""
_FINISH = (
    ("scripts/gen",),
    (".venv/bin/ruff", "check", "--fix-only", "--quiet"),
    (".venv/bin/ruff", "format", "--quiet"),
    (".venv/bin/python", "-m", "scripts.docs_check", "write"),
)
_DONE = """\
Created the service @name@: gRPC on port @grpc_port@, metrics on @metrics_port@. `git status` lists its files. Check it:
  make check
  make test ARGS='tests/unit/@name@_svc tests/integration/test_@name@_service.py'
`make dev` starts it with the other services. For the next steps, see docs/@name@-svc.md."""


def main(root: Path, name: str) -> int:
    """Create the service `name`; return the exit status."""
    if problem := _refused(root, name):
        sys.stderr.write(f"make new-service: NAME={name}: {problem}\n")
        return 1
    try:
        templates = [*_new(root), *_changed(root)]
    except AnchorMismatch as error:
        sys.stderr.write(f"make new-service: scripts/new_service/insertion_points.py is out of date: {error}\n")
        return 1
    words = _words(root, name)
    for path, text in templates:
        file = root / _filled(path, words)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_filled(text, words))
    for command in _FINISH:
        subprocess.run(command, cwd=root, check=True, stdout=subprocess.DEVNULL)
    print(_filled(_DONE, words))
    return 0


def _refused(root: Path, name: str) -> str | None:
    if not re.fullmatch("[a-z][a-z0-9]{1,19}", name):
        return "must be one word of 2 to 20 lowercase letters and digits that starts with a letter"
    if (root / f"{name}_svc").exists():
        return f"{name}_svc/ already exists"
    if importlib.util.find_spec(name) or importlib.util.find_spec(f"{name}_svc"):
        return "the service would hide a Python package with this name"
    return None


def _words(root: Path, name: str) -> Mapping[str, str]:
    defaults = [
        {field: info.default for field, info in settings.model_fields.items()} for settings in SETTINGS.values()
    ]
    return {
        "name": name,
        "Name": name.capitalize(),
        "NAME": name.upper(),
        "grpc_port": str(max(each.get("grpc_port", 0) for each in defaults) + 1),
        "metrics_port": str(max(each["metrics_port"] for each in defaults) + 1),
        "version": tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"],
    }


def _new(root: Path) -> Iterator[tuple[str, str]]:
    # The dependency group of the service is empty at first, so its lock is that of the chassis.
    yield "@name@_svc/requirements.txt", (root / "chassis/requirements.txt").read_text()
    for folder, destination in _DESTINATIONS.items():
        for template in sorted((_TEMPLATES / folder).iterdir()):
            file_name = template.name.removesuffix(".txt") if destination.endswith("/") else ""
            yield f"{destination}{file_name}", template.read_text()


def _changed(root: Path) -> Iterator[tuple[str, str]]:
    for file, insertions in INSERTIONS.items():
        content = (root / file).read_text()
        for insertion in insertions:
            content = insertion.apply(content, file)
        yield file, content


def _filled(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"@(\w+)@", lambda found: words.get(found[1], found[0]), text)


if __name__ == "__main__":
    sys.exit(main(Path.cwd(), sys.argv[1] if len(sys.argv) > 1 else ""))
