"""The URL of the queue, and the file with its password."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from chassis.queue_settings import QueueSettings
from chassis.settings import load
from notify_svc.settings import NotifySettings
from task_svc.settings import TaskSettings


def _settings(**values: object) -> QueueSettings:
    return QueueSettings(grpc_port=1, metrics_port=2, **values)  # type: ignore[arg-type]


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("a password\n")
    return path


@pytest.mark.parametrize("service", [TaskSettings, NotifySettings])
def test_the_password_is_read_from_the_file_in_the_environment(
    service: type[QueueSettings], monkeypatch: pytest.MonkeyPatch, password_file: Path
) -> None:
    monkeypatch.setenv("REDIS_PASSWORD_FILE", str(password_file))
    assert load(service).redis_password == "a password"


def test_without_a_file_there_is_no_password() -> None:
    assert _settings().redis_password is None


def test_the_file_is_read_again_each_time(password_file: Path) -> None:
    settings = _settings(redis_password_file=password_file)
    password_file.write_text("another one")
    assert settings.redis_password == "another one"


def test_an_empty_or_unreadable_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(ValidationError, match="is empty"):
        _settings(redis_password_file=tmp_path / "empty")
    with pytest.raises(ValidationError, match="cannot read"):
        _settings(redis_password_file=tmp_path / "missing")


def test_two_passwords_are_refused_and_not_shown(password_file: Path) -> None:
    with pytest.raises(ValidationError, match="must have no password") as caught:
        _settings(redis_url="redis://user:other@queue/0", redis_password_file=password_file)
    assert "a password" not in str(caught.value)
