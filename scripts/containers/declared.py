"""Rules about names: what a service refers to is declared, what is declared is used, and the files are there."""

from collections.abc import Iterator

from scripts.containers.project import Project, Service, names

_KINDS = ("networks", "secrets", "volumes", "configs")


def everything_named_is_declared(project: Project) -> Iterator[str]:
    """Networks, secrets, volumes, configs, and the services that others wait for or share a network with."""
    for name, service in project.services.items():
        for kind in _KINDS:
            for used in _used(service, kind):
                if used not in project.compose.get(kind, {}):
                    yield f"{name}: {used} is not among the {kind}"
        for needed in (*service.get("depends_on", {}), *_shares_with(service)):
            if needed not in project.services:
                yield f"{name}: there is no service {needed}"


def everything_declared_is_used(project: Project) -> Iterator[str]:
    """Nobody has to wonder what something is for."""
    for kind in _KINDS:
        used = {each for service in project.services.values() for each in _used(service, kind)}
        for declared in project.compose.get(kind, {}):
            if declared not in used:
                yield f"{declared}, one of the {kind}, is used by no service"


def files_are_there(project: Project) -> Iterator[str]:
    """Configs are files of the checkout; secrets are files that scripts/secrets makes and git never sees."""
    for name, config in project.compose.get("configs", {}).items():
        if not (project.root / config["file"]).is_file():
            yield f"the config {name} has no file {config['file']}"
    for name, service in project.services.items():
        for folder in (each for each in names(service.get("volumes", [])) if each.startswith("./")):
            if not (project.root / folder).is_dir():
                yield f"{name}: there is no folder {folder}"
    for name, secret in project.compose.get("secrets", {}).items():
        if secret["file"] != f"./.secrets/{name}":
            yield f"the secret {name} is not in ./.secrets/{name}, where scripts/secrets makes it"
    if "/.secrets/" not in (project.root / ".gitignore").read_text().splitlines():
        yield ".gitignore does not name /.secrets/"


def _used(service: Service, kind: str) -> list[str]:
    return [each for each in names(service.get(kind, [])) if not each.startswith(("./", "$"))]


def _shares_with(service: Service) -> list[str]:
    mode = str(service.get("network_mode", ""))
    return [mode.removeprefix("service:")] if mode.startswith("service:") else []
