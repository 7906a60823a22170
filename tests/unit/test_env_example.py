"""`.env.example` names every setting there is, and nothing else."""

import ast
import inspect
import re
import textwrap
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from chassis.settings import ServiceSettings
from notify_svc.dead_letters_command import CommandSettings
from scripts.containers.variables import SETTINGS
from scripts.dev.settings import OTHERS, PORTS

_SERVICES: tuple[type[ServiceSettings], ...] = (*SETTINGS.values(), CommandSettings)
_COMPOSE = (Path(__file__).parents[2] / "docker-compose.yml").read_text()
_LINE = re.compile(r"^#([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def example() -> list[tuple[str, str]]:
    return _LINE.findall((Path(__file__).parents[2] / ".env.example").read_text())


def test_every_setting_is_there_once_and_nothing_else(example: list[tuple[str, str]]) -> None:
    of_services = {_variable(service, name) for service in _SERVICES for name in service.model_fields}
    of_compose = {name for name, _ in _compose_variables()}
    assert sorted(name for name, _ in example) == sorted({*of_services, *of_compose, *PORTS, *OTHERS})


def test_every_value_is_the_default(example: list[tuple[str, str]]) -> None:
    written = dict(example)
    for service in _SERVICES:
        for name, field in service.model_fields.items():
            assert written[_variable(service, name)] == _as_text(field), _variable(service, name)
    assert {name: written[name] for name in PORTS} == {name: str(port) for name, port in PORTS.items()}
    for name, default in _compose_variables():
        assert written[name] == default, name


def _compose_variables() -> set[tuple[str, str]]:
    """What docker-compose.yml lets its user choose, each with its default."""
    return set(re.findall(r"(?<!\$)\$\{(\w+):-([^${}]*)\}", _COMPOSE))


def _variable(service: type[ServiceSettings], name: str) -> str:
    alias = service.model_fields[name].validation_alias
    return str(alias) if alias else f"{service.model_config['env_prefix']}{name}".upper()


def _as_text(field: FieldInfo) -> str:
    if field.default_factory is not None or field.default is None:
        return ""
    value: Any = field.default
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_the_class_and_the_example_say_the_same_of_each_setting(example: list[tuple[str, str]]) -> None:
    comments = _comments()
    for service in _SERVICES:
        for name in service.model_fields:
            variable, (named, about) = _variable(service, name), _documented(service, name)
            assert variable == named or (named.startswith("…") and variable.endswith(named[1:])), variable
            assert any(comment.startswith(about.rstrip(".")) for comment in comments[variable]), variable


def _comments() -> dict[str, list[str]]:
    """What stands above each variable, begun as a docstring goes on behind the variable's name."""
    text = (Path(__file__).parents[2] / ".env.example").read_text()
    found = re.findall(r"((?:^# .*\n)+)#([A-Z][A-Z0-9_]*)=", text, re.MULTILINE)
    comments: dict[str, list[str]] = {}
    for lines, variable in found:
        about = " ".join(line.removeprefix("# ") for line in lines.splitlines() if not line.startswith("# =="))
        comments.setdefault(variable, []).append(about[0].lower() + about[1:])
    return comments


def _documented(service: type[ServiceSettings], name: str) -> tuple[str, str]:
    """The variable that a field's docstring names, and what it says of it."""
    owner = next(each for each in service.__mro__ if name in vars(each).get("__annotations__", {}))
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    assert isinstance(body, ast.ClassDef)
    for field, after in pairwise(body.body):
        if isinstance(field, ast.AnnAssign) and ast.unparse(field.target) == name:
            assert isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant), name  # noqa: PT018
            variable, _, about = inspect.cleandoc(str(after.value.value)).replace("\n", " ").partition(": ")
            return variable, about
    raise AssertionError(name)
