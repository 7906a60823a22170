"""Redis as docker-compose.yml starts it: the rights of each user, and durability."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.exceptions import AuthenticationError, NoPermissionError

from tests.support.stack.rehearsal import ComposeRedis

SECRETS = {
    "task_svc": "redis-task-password",
    "notify_svc": "redis-notify-password",
    "monitor": "redis-monitor-password",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeRedis]:
    server = ComposeRedis(tmp_path_factory.mktemp("redis"))
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.mark.parametrize("user", SECRETS)
@pytest.mark.parametrize(
    "command",
    [
        "CONFIG GET maxmemory",
        "CONFIG SET appendonly no",
        "FLUSHALL",
        "FLUSHDB",
        "KEYS *",
        "SCAN 0",
        "ACL LIST",
        "SHUTDOWN NOSAVE",
        "REPLICAOF NO ONE",
        "SCRIPT FLUSH",
        "EVAL return 0",
        "CLIENT LIST",
        "MONITOR",
        "SET task-events 1",
        "HSET elsewhere a 1",
        "DEL task-events-2",
        "XADD elsewhere * a 1",
    ],
)
def test_no_user_may_harm_the_server_or_touch_another_key(server: ComposeRedis, user: str, command: str) -> None:
    with server.as_service(user, SECRETS[user]) as client, pytest.raises(NoPermissionError):
        client.execute_command(*command.split())


def test_the_task_service_cannot_read_the_inboxes(server: ComposeRedis) -> None:
    with server.as_service("task_svc", SECRETS["task_svc"]) as client:
        client.xadd("task-events", {"id": "1"})
        for command in (
            "XRANGE notifications - +",
            "HGETALL event:1",
            "ZRANGE inbox:ada 0 -1",
            "XTRIM task-events MAXLEN 0",
        ):
            with pytest.raises(NoPermissionError):
                client.execute_command(*command.split())


@pytest.mark.parametrize(
    ("user", "password"),
    [(None, None), (None, "0" * 64), ("default", "any"), ("task_svc", "wrong"), ("unknown", "any")],
)
def test_a_wrong_or_missing_password_is_refused(server: ComposeRedis, user: str | None, password: str | None) -> None:
    with server.client(user, password) as client, pytest.raises(AuthenticationError):
        client.ping()


def test_a_password_is_valid_for_one_user_only(server: ComposeRedis) -> None:
    with server.as_service("notify_svc", SECRETS["task_svc"]) as client, pytest.raises(AuthenticationError):
        client.ping()


def test_the_acl_file_contains_no_password(server: ComposeRedis) -> None:
    made = (server.secrets.parent / "made.acl").read_text()
    assert "@redis" not in made
    for secret in SECRETS.values():
        assert (server.secrets / secret).read_text() not in made


def test_confirmed_writes_are_on_disk_and_nothing_is_evicted(server: ComposeRedis) -> None:
    wanted = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction", "save": ""}
    with server.client("tester", "any") as client:
        assert client.config_get(*wanted) == wanted
        assert int(client.config_get("maxmemory")["maxmemory"]) == 256 * 1024 * 1024


def test_it_does_not_start_if_a_secret_is_missing(tmp_path: Path) -> None:
    server = ComposeRedis(tmp_path)
    (server.secrets / "redis-task-password").unlink()
    try:
        with pytest.raises(AssertionError, match="Redis has ended"):
            server.start()
    finally:
        server.close()


def test_a_missing_right_is_reported(tmp_path: Path) -> None:
    server = ComposeRedis(tmp_path)
    users = tmp_path / "users.acl"
    users.write_text(users.read_text().replace(" +xadd", ""))
    try:
        server.start()
        with server.as_service("task_svc", SECRETS["task_svc"]) as client, pytest.raises(NoPermissionError):
            client.xadd("task-events", {"id": "1"})
        assert server.refused() == ["task_svc: xadd (command)"]
    finally:
        server.close()


def test_the_user_of_the_health_check_can_ping(server: ComposeRedis) -> None:
    with server.as_service("monitor", SECRETS["monitor"]) as client:
        assert client.ping()
        assert client.info("persistence")["aof_enabled"] == 1
