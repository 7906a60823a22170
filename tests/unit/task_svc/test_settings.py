"""The setting TASK_STORE_URL."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from chassis.settings import load
from task_svc.settings import TaskSettings


def test_a_sqlite_url_names_a_file() -> None:
    assert TaskSettings(store_url="sqlite:///.data/tasks.db").sqlite_path == Path(".data/tasks.db")
    assert TaskSettings(store_url="sqlite:////var/tasks.db").sqlite_path == Path("/var/tasks.db")


@pytest.mark.parametrize("url", ["mongodb://127.0.0.1/taskmesh", "mongodb+srv://ann@cluster.example/taskmesh"])
def test_a_mongodb_url_names_no_file(url: str) -> None:
    assert TaskSettings(store_url=url).sqlite_path is None


@pytest.mark.parametrize("url", ["", "tasks.db", "sqlite:///", "mongodb://", "mongodb+srv://", "postgresql://h/db"])
def test_any_other_store_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="must be sqlite:///PATH, mongodb://HOST"):
        TaskSettings(store_url=url)


def test_a_password_without_a_user_is_refused(tmp_path: Path) -> None:
    for url in ("mongodb://127.0.0.1/taskmesh", f"sqlite:///{tmp_path}/a@b.db"):
        with pytest.raises(ValidationError, match="TASK_STORE_PASSWORD_FILE needs a user"):
            TaskSettings(store_url=url, store_password_file=tmp_path / "password")


def test_an_error_does_not_show_the_url(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TASK_STORE_URL", "mongo://ann:secret@127.0.0.1/taskmesh")
    with pytest.raises(SystemExit):
        load(TaskSettings)

    assert "TASK_STORE_URL: " in (error := capsys.readouterr().err)
    assert "secret" not in error


def test_the_repr_of_the_settings_does_not_contain_the_url() -> None:
    assert "secret" not in repr(TaskSettings(store_url="mongodb://ann:secret@127.0.0.1/taskmesh"))
