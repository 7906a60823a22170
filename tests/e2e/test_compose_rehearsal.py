"""The system of docker-compose.yml works with its rights and settings, tested without containers."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.notify_svc.task_events import created
from tests.support.stack.rehearsal import Rehearsal, rehearsal
from tests.support.stack.stand_in_docker import StandIn


def _becomes(is_so: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _as(system: Rehearsal, user: str) -> httpx.Client:
    token = system.token_file.read_text()
    headers = {"X-Mesh-Token": token, "X-Consumer-Username": user}
    return httpx.Client(base_url=system.edge, headers=headers, trust_env=False, timeout=10)


def _dead_letters(system: Rehearsal, *arguments: str) -> str:
    environment = {
        **os.environ,
        "NOTIFY_GRPC_TARGET": system.notify_target,
        "MESH_TOKEN_FILE": str(system.token_file),
        "no_proxy": "127.0.0.1",
    }
    command = [sys.executable, "-m", "notify_svc.cli.dead_letters", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout


def _notifications(client: httpx.Client) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/notifications")
    notifications: list[dict[str, Any]] = answer.json()["notifications"] if answer.status_code == 200 else []
    return notifications


def _use_everything(system: Rehearsal) -> None:
    """Use all features of the services that access Redis."""
    with _as(system, "ada") as ada:
        with ada.stream("GET", "/api/v1/events") as events:
            created_task = ada.post("/api/v1/tasks", json={"title": "Buy milk"})
            assert created_task.status_code == 201, created_task.text
            assert any("task.created" in line for line in events.iter_lines())
        task = f"/api/v1/tasks/{created_task.json()['id']}"
        assert ada.patch(task, json={"status": "DONE"}).status_code == 200
        assert ada.delete(task).status_code == 204
        assert ada.post(f"{task}:undelete").status_code == 200
        _becomes(lambda: len(_notifications(ada)) == 1)
        assert ada.get("/api/v1/notifications", params={"page_size": 1}).status_code == 200
        assert (
            ada.post("/api/v1/notifications:markRead", json={"ids": [_notifications(ada)[0]["id"]]}).status_code == 204
        )
    with system.redis.client("tester", "any") as redis:
        for _ in range(2):
            redis.xadd("task-events", {"id": created(1).event_id, "event": b"\xff"})
        _becomes(lambda: redis.zcard("dead-letters") == 2)
    assert created(1).event_id.split(":")[0] in _dead_letters(system)
    _dead_letters(system, "replay", "--all")
    _becomes(lambda: "dead letter" in _dead_letters(system))
    _dead_letters(system, "discard", "--all")


def _crash_and_restart(system: Rehearsal, stack: ExitStack) -> None:
    """Kill the notification service and check that a new process with another name processes the open events."""
    system.processes["notify-svc"].send(signal.SIGKILL)
    system.processes["notify-svc"].wait()
    with _as(system, "bob") as bob:
        assert bob.post("/api/v1/tasks", json={"title": "Without a consumer"}).status_code == 201
        system.start(stack, "notify-svc")
        system.becomes_healthy("notify-svc")
        _becomes(lambda: len(_notifications(bob)) == 1)


def test_everything_works_with_the_rights_and_settings_of_docker_compose(tmp_path: Path) -> None:
    with rehearsal(tmp_path) as (system, stack):
        _use_everything(system)
        _crash_and_restart(system, stack)
        assert system.redis.refused() == []
        for process in system.processes.values():
            assert "NOPERM" not in process.output()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_command_printed_by_make_up_works(tmp_path: Path) -> None:
    with rehearsal(tmp_path) as (system, stack):
        address = system.start_gateway(stack)
        output = StandIn(tmp_path, f'"compose port kong 8000") echo {address} ;;').run("up").stdout
        (curl,) = (line for line in output.splitlines() if line.startswith("  curl "))
        command = ["bash", "-c", f"{curl} --noproxy '*'"]
        answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=20)
        assert "201 Created" in answer.stdout
        with _as(system, "demo") as demo:
            assert [task["title"] for task in demo.get("/api/v1/tasks").json()["tasks"]] == ["Buy milk"]
