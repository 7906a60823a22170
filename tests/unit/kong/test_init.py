"""kong/init, with a replacement for the command `kong` that records its arguments."""

import os
import subprocess
from pathlib import Path

import pytest

from kong.rendered import FOLDER

KONG = """#!/bin/sh
echo "$@" | sed 's|/.*/|FOLDER/|' >>"$LOG"
[ "$1 $2" != "${FAIL:-}" ] || exit 1
[ "$1" != config ] || cp "$3" "$LOG.imported"
[ "$KONG_PG_PASSWORD" = database ] || exit 9
"""


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name, value in (("mesh-token", "m" * 40), ("kong-session-secret", "s" * 40), ("kong-db-password", "database")):
        (folder / name).write_text(f"{value}\n")
    command = tmp_path / "bin" / "kong"
    command.parent.mkdir()
    command.write_text(KONG)
    command.chmod(0o755)
    (tmp_path / "tmp").mkdir()
    return folder


def init(secrets: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    home = secrets.parent
    environment = {
        "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
        "LOG": str(home / "log"),
        "TMPDIR": str(home / "tmp"),
        "SECRETS_DIR": str(secrets),
        **variables,
    }
    command = ["bash", str(FOLDER / "init"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def log(secrets: Path) -> list[str]:
    path = secrets.parent / "log"
    return path.read_text().splitlines() if path.exists() else []


def test_import_imports_the_rendered_file_and_leaves_no_secret_behind(secrets: Path) -> None:
    done = init(secrets, "import")
    assert done.returncode == 0, done.stderr
    assert log(secrets) == ["config db_import FOLDER/kong.yml"]
    assert "X-Mesh-Token:" + "m" * 40 in (secrets.parent / "log.imported").read_text()
    assert list((secrets.parent / "tmp").iterdir()) == []
    assert "m" * 40 not in done.stdout + done.stderr


def test_a_bad_secret_stops_it_before_it_changes_the_database(secrets: Path) -> None:
    (secrets / "mesh-token").write_text("short\n")
    assert init(secrets, "check").returncode != 0
    assert log(secrets) == []


@pytest.mark.parametrize("step", ["migrations bootstrap", "migrations up", "migrations finish", "config parse"])
def test_a_failed_step_stops_it(secrets: Path, step: str) -> None:
    assert init(secrets, "check", FAIL=step).returncode != 0
    assert log(secrets)[-1].startswith(step)
    assert list((secrets.parent / "tmp").iterdir()) == []


def test_an_unknown_argument_is_rejected(secrets: Path) -> None:
    assert init(secrets, "everything").returncode == 2
    assert log(secrets) == []
