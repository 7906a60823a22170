"""docker-compose.yml and its scripts on a real Docker engine, with images that the engine already has."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests import ROOT
from tests.support.stack.stand_in_docker import checkout

_REDIS = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["redis"]["image"]


def _succeeds(*command: str) -> bool:
    return bool(shutil.which("docker")) and subprocess.run(["docker", *command], capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not _succeeds("version"), reason="there is no Docker engine")


class Project:
    """A copy of the checkout, with a Compose project of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = checkout(folder)

    def run(self, script: str, *arguments: str, stdin: str = "", **variables: str) -> str:
        own = {"COMPOSE_FILE": "docker-compose.yml", "COMPOSE_PROJECT_NAME": f"taskmesh-{os.getpid()}"}
        ran = subprocess.run(
            [self.folder / "scripts" / script, *arguments],
            env={**os.environ, **own, "COMPOSE_PROFILES": "", **variables},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def start_redis(self) -> None:
        self.run("compose", "up", "--detach", "--wait", "--no-build", "redis")

    def redis_cli(self, user: str, commands: str) -> list[str]:
        secret = "redis-monitor-password" if user == "monitor" else "redis-notify-password"
        password = (self.folder / ".secrets" / secret).read_text()
        execute = ("compose", "exec", "--no-TTY", "--env", f"REDISCLI_AUTH={password}", "redis")
        return self.run(*execute, "redis-cli", "--user", user, stdin=commands).splitlines()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path)
    yield project
    project.run("compose", "down", "--volumes", "--timeout", "1")


@pytest.mark.parametrize(
    ("environment", "users"), [("production", "removed"), ("development", "active"), ("", "active")]
)
def test_the_demo_users_are_active_except_in_production(project: Project, environment: str, users: str) -> None:
    assert project.run("demo-users", ENVIRONMENT=environment).strip() == users


@pytest.mark.parametrize(
    ("service", "file"),
    [("mongo", "compose/mongo/init.js"), ("kong", "kong/nginx/http.conf"), ("loki", "monitoring/loki/loki.yml")],
)
def test_a_changed_mounted_file_changes_the_label_of_its_service(project: Project, service: str, file: str) -> None:
    def label() -> str:
        profile = {"COMPOSE_PROFILES": "monitoring"}
        config = json.loads(project.run("compose", "config", "--format", "json", **profile))
        return str(config["services"][service]["labels"]["taskmesh.files"])

    before = label()
    with (project.folder / file).open("a") as changed:
        changed.write("\n")
    assert label() != before


@pytest.mark.skipif(not _succeeds("image", "inspect", _REDIS), reason=f"the engine has no image {_REDIS}")
def test_redis_keeps_transactions_over_a_restart_and_applies_changed_users(project: Project) -> None:
    project.run("secrets")
    project.start_redis()
    assert (
        project.redis_cli("notify_svc", "MULTI\nHSET event:1 field value\nHSET event:2 field value\nEXEC\n")[-2:]
        == ["1"] * 2
    )
    project.run("compose", "restart", "redis")
    project.start_redis()
    assert project.redis_cli("notify_svc", "HGET event:1 field\n") == ["value"]

    users = project.folder / "compose/redis/users.acl"
    users.write_text(users.read_text().replace("+ping +info", "+ping +dbsize"))
    project.start_redis()
    assert project.redis_cli("monitor", "DBSIZE\n") == ["2"]
