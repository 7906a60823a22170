"""Every setting has a line in .env.example, with its default and a description."""

import re
import shutil
from pathlib import Path

import pytest

from scripts.containers.variables import SETTINGS, variable
from scripts.dev.settings import PORTS
from scripts.docs_check import settings
from tests import ROOT


def test_every_setting_is_described_once_with_the_default_that_the_code_uses() -> None:
    listed = [each for section in settings.sections(ROOT).values() for each in section]
    defaults = {each.name: each.default for each in listed}
    assert len(defaults) == len(listed)
    assert all(each.description for each in listed)
    assert defaults.keys() >= {variable(each, field) for each in SETTINGS.values() for field in each.model_fields}
    assert defaults.items() >= {(name, str(port)) for name, port in PORTS.items()}
    assert re.findall(r"^#([A-Z_]+)=(.*)$", settings.env_example(ROOT), re.MULTILINE) == [*defaults.items()]


def test_a_variable_of_docker_compose_without_a_description_is_named(tmp_path: Path) -> None:
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    with (tmp_path / "docker-compose.yml").open("a") as compose:
        compose.write("# ${NEW_PORT:-1}\n")
    with pytest.raises(settings.Undescribed, match="NEW_PORT"):
        settings.sections(tmp_path)
