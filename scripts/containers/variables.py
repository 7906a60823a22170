"""Rules about environments: each variable is a setting of its service, with a value that the service accepts."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import PydanticBaseSettingsSource

from chassis.settings import ServiceSettings
from edge_api.settings import EdgeSettings
from notify_svc.settings import NotifySettings
from scripts.containers.project import Project, names
from task_svc.settings import TaskSettings

SETTINGS: Mapping[str, type[ServiceSettings]] = {
    "edge-api": EdgeSettings,
    "task-svc": TaskSettings,
    "notify-svc": NotifySettings,
}
MOUNTED = "/run/secrets/"
_EXAMPLES = {"notify-channels": "# no channels\n"}
"""The content of secrets that are not passwords."""


def variables_are_settings(project: Project) -> Iterator[str]:
    """A variable that no setting reads has no effect, and no error would show the mistake."""
    for name, _ in project.built():
        known = fields(SETTINGS[name]) if name in SETTINGS else {}
        for variable in project.environment(name):
            if variable not in known:
                yield f"{name}: {variable} is not one of its settings"


def values_are_accepted(project: Project) -> Iterator[str]:
    """Each service starts in production with exactly this environment."""
    for name in SETTINGS:
        yield from refused(name, project.environment(name), names(project.services[name].get("secrets", [])))


def refused(name: str, environment: Mapping[str, str], secrets: Iterable[str]) -> Iterator[str]:
    """The reasons why the service would not start with this environment and these files in /run/secrets."""
    if environment.get("ENVIRONMENT") != "production":
        yield f"{name}: ENVIRONMENT must be production"
    with tempfile.TemporaryDirectory() as folder:
        for secret in secrets:
            path = Path(folder) / secret
            path.write_text(_EXAMPLES.get(secret, "0123456789abcdef" * 4))
            path.chmod(0o600)
        try:
            _alone(SETTINGS[name])(**_by_field(SETTINGS[name], environment, folder))
        except ValidationError as error:
            yield from (f"{name}: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())


def secrets_are_files(project: Project) -> Iterator[str]:
    """No environment contains a secret, as `docker inspect` shows it. Each service gets only the secrets it reads."""
    for name, service in project.services.items():
        environment, given = project.environment(name), set(names(service.get("secrets", [])))
        for variable, value in environment.items():
            if variable.endswith(("PASSWORD", "TOKEN", "SECRET", "KEY")) and not value.startswith(MOUNTED):
                yield f"{name}: {variable} contains a secret; put it into a file"
        if name in SETTINGS or name == "kong":
            read = {value.removeprefix(MOUNTED) for value in environment.values() if value.startswith(MOUNTED)}
            yield from (f"{name}: it reads the secret {each} and does not get it" for each in sorted(read - given))
            yield from (f"{name}: it gets the secret {each} and does not read it" for each in sorted(given - read))


def fields(settings: type[ServiceSettings]) -> dict[str, str]:
    """The names of the fields by their environment variables."""
    return {variable(settings, name): name for name in settings.model_fields}


def variable(settings: type[ServiceSettings], field: str) -> str:
    """The environment variable that sets a field."""
    prefix = settings.model_config.get("env_prefix", "")
    return str(settings.model_fields[field].validation_alias or f"{prefix}{field}".upper())


def _by_field(settings: type[ServiceSettings], environment: Mapping[str, str], folder: str) -> dict[str, Any]:
    by_variable = fields(settings)
    return {
        by_variable[variable]: value.replace(MOUNTED, f"{folder}/")
        for variable, value in environment.items()
        if variable in by_variable
    }


def _alone(settings: type[ServiceSettings]) -> type[ServiceSettings]:
    """The same settings, which do not read the environment of this process."""

    class Alone(settings):  # type: ignore[valid-type, misc]
        @classmethod
        def settings_customise_sources(
            cls, _: Any, init_settings: PydanticBaseSettingsSource, **__: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (init_settings,)

    return Alone
