"""The commands of `make kong-user`, which edit the users' file that Kong imports."""

import uuid
from pathlib import Path

import pytest
import yaml

from kong import rendered, users
from kong.users_file import UsersFile

PASSWORD, OTHER = 'correct horse: "battery"', "another # password {}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secrets" / "kong-users"


def run(path: Path, *arguments: str, password: str = PASSWORD) -> int:
    return users.main(["--file", str(path), *arguments], lambda: password)


def test_an_added_user_has_exactly_the_given_password(path: Path) -> None:
    assert run(path, "add", "alice") == 0
    (entry,) = yaml.safe_load(path.read_text())
    assert entry["username"] == "alice"
    assert uuid.UUID(entry["id"])
    assert entry["basicauth_credentials"] == [{"username": "alice", "password": PASSWORD}]


def test_a_changed_password_ends_sessions_and_keeps_keys(path: Path) -> None:
    run(path, "add", "alice")
    run(path, "add-key", "alice")
    before = UsersFile.read(path).users["alice"]
    assert run(path, "password", "alice", password=OTHER) == 0
    after = UsersFile.read(path).users["alice"]
    assert (after.password, after.keys) == (OTHER, before.keys)
    assert after.id != before.id


def test_sign_out_changes_only_the_id(path: Path) -> None:
    run(path, "add", "alice")
    before = UsersFile.read(path).users["alice"]
    run(path, "sign-out", "alice")
    after = UsersFile.read(path).users["alice"]
    assert after.id != before.id
    assert (after.password, after.keys) == (before.password, before.keys)


def test_a_revoked_key_is_gone_and_the_others_stay(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(path, "add", "robot", "--no-password")
    run(path, "add-key", "robot")
    run(path, "add-key", "robot")
    first, second = UsersFile.read(path).users["robot"].keys
    assert first.key in capsys.readouterr().out
    assert run(path, "revoke-key", first.id) == 0
    assert UsersFile.read(path).users["robot"].keys == (second,)


def test_comments_and_other_users_stay_as_they_are(path: Path) -> None:
    for name in ("alice", "bob", "carol"):
        run(path, "add", name)
    text = path.read_text().replace('- username: "bob"', '# the night shift\n- username: "bob"')
    path.chmod(0o600)
    path.write_text(text)
    run(path, "password", "alice", password=OTHER)
    run(path, "remove", "carol")
    assert text[text.index("# the night") : text.index('- username: "carol"')] in path.read_text()
    assert list(UsersFile.read(path).users) == ["alice", "bob"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "no spaces"),
        ("add", "x" * 65),
        ("add", "anonymous"),
        ("add", "alice"),
        ("add", "demo"),
        ("password", "unknown"),
        ("remove", "unknown"),
        ("revoke-key", "no-such-id"),
    ],
)
def test_an_invalid_command_is_rejected_and_changes_nothing(
    path: Path, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    run(path, "add", "alice")
    before = path.read_text()
    assert run(path, *arguments) == 1
    assert path.read_text() == before
    assert PASSWORD not in "".join(capsys.readouterr())


@pytest.mark.parametrize("password", ["", "short", "pässword with more", "line\nbreak in the middle"])
def test_a_short_password_or_one_that_browsers_encode_differently_is_rejected(path: Path, password: str) -> None:
    assert run(path, "add", "alice", password=password) == 1
    assert not path.exists()


@pytest.mark.parametrize(
    "text", ["users: []", "- name: alice\n", "- username: a\n  id: x\n- username: a\n  id: y\n", "- {"]
)
def test_a_malformed_file_is_rejected_and_not_changed(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    assert run(path, "add", "alice") == 1
    assert path.read_text() == text


def test_other_users_of_the_machine_cannot_read_the_file(path: Path) -> None:
    run(path, "add", "alice")
    assert path.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["alice", "123", "on", "null", "1.5", "-"])
def test_kong_accepts_the_written_file(path: Path, name: str) -> None:
    run(path, "add", name)
    run(path, "add-key", name)
    for secret in ("mesh-token", "kong-session-secret"):
        (path.parent / secret).write_text("x" * 40)
    config = rendered.read(path.parent, "production")
    assert list(config.consumers) == ["anonymous", name]


def test_an_empty_list_explains_how_to_add_a_user(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(path, "list") == 0
    assert "make kong-user ARGS='add NAME'" in capsys.readouterr().out
