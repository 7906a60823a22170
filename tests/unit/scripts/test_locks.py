"""Each service declares its dependencies, and the locks satisfy pyproject.toml."""

import shutil
from pathlib import Path

import pytest

from scripts.locks import outdated, read_pins, undeclared, undeclared_imports
from tests import ROOT


def test_the_locks_satisfy_pyproject_toml() -> None:
    assert [*outdated(ROOT), *undeclared(ROOT)] == []


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("pyproject.toml", '"structlog>=26.1"', '"structlog>=99"', "chassis/requirements.txt pins structlog"),
        ("pyproject.toml", '"motor>=3.7.1"', '"missing"', "task_svc/requirements.txt pins missing not at all"),
        ("edge_api/requirements.txt", "fastapi==", "fastapi==9", "edge_api/requirements.txt pins fastapi 90"),
    ],
)
def test_a_difference_is_reported(tmp_path: Path, file: str, old: str, new: str, problem: str) -> None:
    for path in ("pyproject.toml", *(str(each.relative_to(ROOT)) for each in ROOT.glob("*/requirements.txt"))):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    for path in ("requirements-dev.txt", "requirements-tools.txt"):
        shutil.copy(ROOT / path, tmp_path / path)
    text = (tmp_path / file).read_text()
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1))
    assert problem in "\n".join(outdated(tmp_path))


def test_a_pin_without_a_hash_is_refused() -> None:
    with pytest.raises(ValueError, match="uv is pinned without a hash"):
        read_pins("uv==0.13.9\n")


def test_an_undeclared_import_is_found_also_behind_another_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = {
        "shared_a": "import structlog",
        "shared_b": "import motor.motor_asyncio",
        "service_a": "import json\nimport shared_a\nimport google.protobuf.message",
    }
    for name, source in sources.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert undeclared_imports(sources, "service_a", ["protobuf>=7", "structlog"]) == []
    assert undeclared_imports(sources, "service_a", ["redis"]) == ["google", "structlog"]
