"""The kong.yml that `make test-kong` gives to a real Kong: as sound as the true one, with the limits of the tests."""

import shutil
from pathlib import Path

import pytest

from kong import rendered
from scripts.kong_check import problems
from tests.support.kong_limits import CHANGES, with_limits
from tests.support.standin import document, put_secrets, without_brakes


@pytest.mark.parametrize("kind", ["high", "small"])
def test_it_is_the_true_one_but_for_its_limits(tmp_path: Path, kind: str) -> None:
    folder, secrets = tmp_path / "kong", put_secrets(tmp_path / "secrets")
    shutil.copytree(rendered.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "kong.yml").write_text(with_limits(kind))
    assert rendered.read(secrets, "development", folder=folder) == document(*CHANGES[kind], without_brakes)
    assert list(problems(folder)) == []
