"""Invalid settings are reported by name, and the process does not start."""

from pathlib import Path

import pytest
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import GrpcSettings, is_loopback, load

TOKEN = "a-token-that-is-long-enough"


class ProbeSettings(GrpcSettings):
    model_config = SettingsConfigDict(env_prefix="PROBE_")

    grpc_port: int = Field(50059, ge=1, le=65535)
    metrics_port: int = Field(9109, ge=1, le=65535)
    peer: str = Field("peer:1", validation_alias="PEER_TARGET", min_length=1)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENVIRONMENT", "LOG_LEVEL", "LOG_FORMAT", "MESH_TOKEN_FILE", "DRAIN_SECONDS", "PEER_TARGET"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "mesh-token"
    path.write_text(TOKEN)
    return path


def test_an_empty_environment_gives_the_defaults_of_development() -> None:
    settings = load(ProbeSettings)
    assert (settings.environment, settings.grpc_host, settings.mesh_token_file) == ("development", "127.0.0.1", None)


def test_values_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, token_file: Path) -> None:
    monkeypatch.setenv("PROBE_GRPC_PORT", "1234")
    monkeypatch.setenv("PEER_TARGET", "elsewhere:2")
    monkeypatch.setenv("MESH_TOKEN_FILE", str(token_file))
    settings = load(ProbeSettings)
    assert (settings.grpc_port, settings.peer, settings.mesh_token_file) == (1234, "elsewhere:2", token_file)


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("PROBE_GRPC_PORT", "http", "valid integer"),
        ("PROBE_GRPC_PORT", "65536", "less than or equal to 65535"),
        ("PROBE_DEFAULT_DEADLINE_SECONDS", "0", "greater than 0"),
        ("PEER_TARGET", "", "at least 1 character"),
        ("LOG_LEVEL", "loud", "'debug', 'info'"),
        ("ENVIRONMENT", "prod", "'development' or 'production'"),
        ("DRAIN_SECONDS", "nan", "less than or equal to 300"),
        ("MESH_TOKEN_FILE", "/nowhere/mesh-token", "cannot read /nowhere/mesh-token"),
        ("MESH_TOKEN_FILE", "/dev/null", "one or two tokens"),
    ],
)
def test_a_bad_value_is_reported_with_its_reason_and_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit) as exit_info:
        load(ProbeSettings)
    stderr = capsys.readouterr().err
    assert exit_info.value.code == 2
    assert stderr.startswith(f"{variable}: ")
    assert reason in stderr


def test_a_missing_value_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        load(GrpcSettings)
    assert "GRPC_PORT: Field required\nMETRICS_PORT: Field required\n" in capsys.readouterr().err


def test_all_bad_values_are_reported_together(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "loud")
    monkeypatch.setenv("PROBE_GRPC_PORT", "0")
    with pytest.raises(SystemExit):
        load(ProbeSettings)
    stderr = capsys.readouterr().err
    assert "LOG_LEVEL: " in stderr
    assert "PROBE_GRPC_PORT: " in stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [("ENVIRONMENT", "production"), ("PROBE_GRPC_HOST", "0.0.0.0"), ("PROBE_GRPC_HOST", "task_svc")],
)
def test_production_and_other_addresses_than_loopback_require_a_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], token_file: Path, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit):
        load(ProbeSettings)
    assert "MESH_TOKEN_FILE is required" in capsys.readouterr().err
    monkeypatch.setenv("MESH_TOKEN_FILE", str(token_file))
    assert load(ProbeSettings).mesh_token_file == token_file


def test_a_refusal_does_not_show_the_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "mesh-token"
    path.write_text("\n".join([TOKEN] * 3))
    monkeypatch.setenv("MESH_TOKEN_FILE", str(path))
    with pytest.raises(SystemExit):
        load(ProbeSettings)
    assert TOKEN not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("example.org", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_only_loopback_is_loopback(host: str, answer: bool) -> None:
    assert is_loopback(host) is answer
