"""What the edge refuses to start with."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from edge_api.settings import EdgeSettings
from tests.support.edge import token_file


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    return token_file(tmp_path)


def settings(monkeypatch: pytest.MonkeyPatch, **env: str) -> EdgeSettings:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return EdgeSettings()


def test_a_token_file_is_enough(monkeypatch: pytest.MonkeyPatch, tokens: Path) -> None:
    known = settings(monkeypatch, MESH_TOKEN_FILE=str(tokens), ENVIRONMENT="production", EDGE_HOST="0.0.0.0")
    assert (known.mesh_token_file, known.dev_user, known.port) == (tokens, None, 8080)
    assert (known.task_target, known.notify_target) == ("127.0.0.1:50051", "127.0.0.1:50052")


def test_a_dev_user_is_enough_in_development_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch, EDGE_DEV_USER="ada").dev_user == "ada"


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"EDGE_DEV_USER": "ada", "EDGE_HOST": "0.0.0.0"},
        {"EDGE_DEV_USER": "ada", "ENVIRONMENT": "production"},
        {"EDGE_DEV_USER": "a b"},
        {"EDGE_DEV_USER": ""},
    ],
)
def test_an_edge_that_anybody_could_use_is_refused(monkeypatch: pytest.MonkeyPatch, env: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        settings(monkeypatch, **env)


@pytest.mark.parametrize(
    "env",
    [
        {"EDGE_DEV_USER": "ada", "ENVIRONMENT": "production"},
        {"EDGE_PORT": "70000"},
        {"EDGE_CALL_TIMEOUT_SECONDS": "0"},
        {"TASK_GRPC_TARGET": ""},
    ],
)
def test_a_token_file_does_not_excuse_other_mistakes(
    monkeypatch: pytest.MonkeyPatch, tokens: Path, env: dict[str, str]
) -> None:
    with pytest.raises(ValidationError):
        settings(monkeypatch, MESH_TOKEN_FILE=str(tokens), **env)
