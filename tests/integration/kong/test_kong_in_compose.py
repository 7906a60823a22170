"""docker-compose.yml configures Kong and the steps before it correctly, as far as this can be tested without Kong."""

import http.server
import re
import subprocess
import threading
from pathlib import Path

import pytest
import yaml

from kong.users import main as kong_user
from scripts.containers.project import Project
from tests import ROOT
from tests.support.kong.kong_steps import KongSteps
from tests.support.ports import free_port

STEPS = ("kong-init", "kong-prune", "kong-import")


def test_the_steps_find_their_files_and_secrets_and_can_be_repeated(tmp_path: Path) -> None:
    steps = KongSteps(tmp_path)
    for _ in range(2):
        for name in STEPS:
            steps.run(name)
    once = [
        "kong migrations bootstrap",
        "kong migrations up",
        "kong migrations finish",
        "kong config parse kong.yml",
        "psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --file prune.sql",
        "kong config db_import kong.yml",
    ]
    assert steps.calls == 2 * once
    assert (steps.secrets / "mesh-token").read_text() in steps.imported


def _users(steps: KongSteps, **variables: str) -> set[str]:
    steps.run("kong-import", variables)
    return {each["username"] for each in yaml.safe_load(steps.imported)["consumers"]} - {"anonymous"}


def test_the_demo_users_are_imported_except_in_production(tmp_path: Path) -> None:
    steps = KongSteps(tmp_path)
    assert _users(steps) == {"demo", "guest"}
    assert _users(steps, ENVIRONMENT="production") == set()


def test_a_real_user_is_imported_in_both_environments(tmp_path: Path) -> None:
    steps = KongSteps(tmp_path)
    assert kong_user(["--file", str(steps.secrets / "kong-users"), "add", "ada"], lambda: "a-long-password") == 0
    assert _users(steps) == {"demo", "guest", "ada"}
    assert _users(steps, ENVIRONMENT="production") == {"ada"}


def _ids(steps: KongSteps) -> dict[str, str]:
    """Import the users as `make kong-apply` does and return their ids in Kong."""
    for name in STEPS:
        steps.run(name)
    return {each["username"]: each["id"] for each in yaml.safe_load(steps.imported)["consumers"] if "id" in each}


def test_a_changed_password_gives_only_that_user_a_new_id_and_keeps_other_sessions(tmp_path: Path) -> None:
    steps, password = KongSteps(tmp_path), "a-long-password"
    for command in ("add ada", "add eve"):
        assert kong_user(["--file", str(steps.secrets / "kong-users"), *command.split()], lambda: password) == 0
    before = _ids(steps)
    assert kong_user(["--file", str(steps.secrets / "kong-users"), "password", "ada"], lambda: f"new-{password}") == 0
    after = _ids(steps)
    # A session refers to its user's id. Ada's old id is not imported, and prune removes it from the table.
    assert before["ada"] not in steps.imported
    assert {name for name in before if before[name] != after[name]} == {"ada"}
    (tables,) = re.findall(r"TRUNCATE (.*) CASCADE;", (ROOT / "kong/prune.sql").read_text())
    assert "consumers" in tables.split(", ")
    assert "sessions" not in tables, "the sessions of other users must be kept"


@pytest.mark.parametrize(("status", "is_healthy"), [(200, True), (503, False), (None, False)])
def test_kong_is_healthy_if_its_status_is_ready(status: int | None, is_healthy: bool) -> None:
    _, *command = Project.read(ROOT).services["kong"]["healthcheck"]["test"]
    requested = []

    class Status(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            requested.append(self.path)
            self.send_response(status or 0)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Status) as server:
        threading.Thread(target=server.serve_forever).start()
        port = server.server_port if status else free_port()
        # As Compose would run it: `$$` is an escaped dollar sign.
        words = [word.replace("$$", "$").replace("/8100", f"/{port}") for word in command]
        done = subprocess.run(words, capture_output=True, timeout=10)
        server.shutdown()
    assert (done.returncode == 0) is is_healthy
    assert requested == (["/status/ready"] if status else [])
