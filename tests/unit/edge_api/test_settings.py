"""Settings with which the edge does not start."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from edge_api.settings import EdgeSettings
from tests.support.edge_api.edge import token_file


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    return token_file(tmp_path)


def settings(monkeypatch: pytest.MonkeyPatch, **env: str) -> EdgeSettings:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return EdgeSettings()


def test_a_token_file_is_sufficient(monkeypatch: pytest.MonkeyPatch, tokens: Path) -> None:
    known = settings(monkeypatch, MESH_TOKEN_FILE=str(tokens), ENVIRONMENT="production", EDGE_HOST="0.0.0.0")
    assert (known.mesh_token_file, known.port) == (tokens, 8080)
    assert (known.task_target, known.notify_target) == ("127.0.0.1:50051", "127.0.0.1:50052")


def test_a_token_file_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="MESH_TOKEN_FILE"):
        settings(monkeypatch)


def test_origins_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch, tokens: Path) -> None:
    known = settings(monkeypatch, MESH_TOKEN_FILE=str(tokens), PUBLIC_ORIGINS="https://a.example,http://[::1]:80")
    assert known.origins == {"https://a.example", "http://[::1]:80"}


@pytest.mark.parametrize(
    "env",
    [
        {"PUBLIC_ORIGINS": "*"},
        {"PUBLIC_ORIGINS": ""},
        {"PUBLIC_ORIGINS": "https://a.example/"},
        {"PUBLIC_ORIGINS": "null"},
        {"EDGE_PORT": "70000"},
        {"EDGE_CALL_TIMEOUT_SECONDS": "0"},
        {"TASK_GRPC_TARGET": ""},
    ],
)
def test_with_a_token_file_other_invalid_settings_are_still_refused(
    monkeypatch: pytest.MonkeyPatch, tokens: Path, env: dict[str, str]
) -> None:
    with pytest.raises(ValidationError):
        settings(monkeypatch, MESH_TOKEN_FILE=str(tokens), **env)
