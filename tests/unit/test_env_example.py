"""`.env.example` names every setting there is, and nothing else."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from chassis.settings import ServiceSettings
from edge_api.settings import EdgeSettings
from notify_svc.dead_letters_command import CommandSettings
from notify_svc.settings import NotifySettings
from scripts.dev.settings import OTHERS, PORTS
from task_svc.settings import TaskSettings

_SERVICES: tuple[type[ServiceSettings], ...] = (TaskSettings, NotifySettings, EdgeSettings, CommandSettings)
_LINE = re.compile(r"^#([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def example() -> list[tuple[str, str]]:
    return _LINE.findall((Path(__file__).parents[2] / ".env.example").read_text())


def test_every_setting_is_there_once_and_nothing_else(example: list[tuple[str, str]]) -> None:
    of_services = {_variable(service, name) for service in _SERVICES for name in service.model_fields}
    assert sorted(name for name, _ in example) == sorted({*of_services, *PORTS, *OTHERS})


def test_every_value_is_the_default(example: list[tuple[str, str]]) -> None:
    written = dict(example)
    for service in _SERVICES:
        for name, field in service.model_fields.items():
            assert written[_variable(service, name)] == _as_text(field), _variable(service, name)
    assert {name: written[name] for name in PORTS} == {name: str(port) for name, port in PORTS.items()}


def _variable(service: type[ServiceSettings], name: str) -> str:
    alias = service.model_fields[name].validation_alias
    return str(alias) if alias else f"{service.model_config['env_prefix']}{name}".upper()


def _as_text(field: FieldInfo) -> str:
    if field.default_factory is not None or field.default is None:
        return ""
    value: Any = field.default
    return str(value).lower() if isinstance(value, bool) else str(value)
