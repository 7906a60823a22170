"""The check that each service owns its dependencies, and that the locks are what pyproject.toml asks for."""

from pathlib import Path

import pytest

from scripts.locks import needed, outdated, read_pins, undeclared, undeclared_imports, unmet
from tests import ROOT

_LOCK = """\
grpc-io==1.2.0 ; python_version >= '3.11' \\
    --hash=sha256:aa \\
    --hash=sha256:bb
uv==0.13.9 \\
    --hash=sha256:cc
"""


def test_the_locks_of_this_project_are_in_order() -> None:
    assert outdated(ROOT) == undeclared(ROOT) == []


def test_names_are_compared_as_pip_does_and_versions_by_their_range() -> None:
    pins = read_pins(_LOCK)
    assert pins == {"grpc-io": "1.2.0", "uv": "0.13.9"}
    assert unmet(["Grpc_IO>=1.2,<2", "uv>=1", "missing"], pins) == ["uv>=1", "missing"]


def test_a_pin_without_a_hash_is_refused() -> None:
    with pytest.raises(ValueError, match="uv is pinned without a hash"):
        read_pins("uv==0.13.9\n")


def test_an_import_that_the_group_does_not_name_is_found_also_behind_another_package(
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


def test_what_a_requirement_needs_is_followed_with_its_extras_and_without_others() -> None:
    assert {"uvicorn", "h11"} <= needed(["uvicorn"])
    assert "websockets" in needed(["uvicorn[standard]"]) - needed(["uvicorn"])
