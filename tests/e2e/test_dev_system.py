"""`make dev` with the real services."""

import json
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import grpc
import httpx
import pytest
from task.v1 import task_pb2, task_pb2_grpc

from tests import ROOT
from tests.support.stack.dev_runner import DevRunner, running

KEY = {"x-api-key": "demo-key"}


def _create(dev: DevRunner, title: str) -> None:
    answer = httpx.post(f"{dev.gateway}/api/v1/tasks", json={"title": title}, headers=KEY, trust_env=False)
    assert answer.status_code == 201, answer.text


def _titles(dev: DevRunner) -> list[str]:
    answer = httpx.get(f"{dev.gateway}/api/v1/tasks", headers=KEY, trust_env=False)
    assert answer.status_code == 200, answer.text
    return [task["title"] for task in answer.json()["tasks"]]


def _page(dev: DevRunner, path: str) -> str:
    answer = httpx.get(f"{dev.gateway}{path}", trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.text


def _create_by_grpc(dev: DevRunner, title: str) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{dev.ports['TASK_GRPC_PORT']}") as channel:
        task_pb2_grpc.TaskServiceStub(channel).CreateTask(
            task_pb2.CreateTaskRequest(task=task_pb2.Task(title=title)),
            metadata=(("x-consumer-username", "demo"),),
            timeout=10,
        )


def test_everything_responds_and_tasks_survive_a_restart(tmp_path: Path) -> None:
    with running(tmp_path) as first:
        first.wait_for("Taskmesh is up")
        _create(first, "over REST")
        _create_by_grpc(first, "over gRPC")
        for port in ("EDGE_METRICS_PORT", "TASK_METRICS_PORT", "NOTIFY_METRICS_PORT"):
            metrics = httpx.get(f"http://127.0.0.1:{first.ports[port]}/metrics", trust_env=False)
            assert "process_resident_memory_bytes" in metrics.text
        assert httpx.get(f"{first.gateway}/api/docs", headers=KEY, trust_env=False).status_code == 200
        first.descendants()
        first.send(signal.SIGINT)
        assert first.wait() == 0, first.output
        assert first.left_behind() == []
    with running(tmp_path) as second:
        second.wait_for("Taskmesh is up")
        assert _titles(second) == ["over gRPC", "over REST"]


@pytest.mark.parametrize(
    "options",
    [pytest.param((), id="make dev"), pytest.param(("--mono",), id="make dev-mono", marks=pytest.mark.slow)],
)
def test_a_watcher_receives_a_task_and_its_notification(tmp_path: Path, options: tuple[str, ...]) -> None:
    with running(tmp_path, options=options) as dev:
        dev.wait_for("Taskmesh is up")
        with httpx.stream("GET", f"{dev.gateway}/api/v1/events", headers=KEY, trust_env=False, timeout=20) as answer:
            lines = answer.iter_lines()
            while not next(lines).startswith("id: "):
                pass
            _create(dev, "Buy milk")
            heard = {}
            for _ in range(2):
                event = next(line for line in lines if line.startswith("event: "))
                data = next(line for line in lines if line.startswith("data: "))
                heard[event.removeprefix("event: ")] = json.loads(data.removeprefix("data: "))["title"]
        assert heard == {"task.created": "Buy milk", "notification": "Buy milk"}
        dev.send(signal.SIGTERM)
        assert dev.wait() == 0, dev.output


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_printed_commands_work(tmp_path: Path) -> None:
    with running(tmp_path) as dev:
        dev.wait_for("Taskmesh is up")
        dev.wait_for("buf curl")
        rest, grpc = (shlex.split(line) for line in dev.output.splitlines() if " curl " in line and "-d " in line)
        answer = subprocess.run([*rest, "--noproxy", "*"], capture_output=True, text=True, check=True, timeout=20)
        assert "201 Created" in answer.stdout
        answer = subprocess.run(grpc, cwd=ROOT, capture_output=True, text=True, check=True, timeout=20)
        assert json.loads(answer.stdout)["task"]["title"] == "Buy milk"


def test_the_edge_accepts_requests_only_from_the_gateway(tmp_path: Path) -> None:
    with running(tmp_path) as dev:
        dev.wait_for("Taskmesh is up")
        claims = {"X-Consumer-Username": "demo", "X-Mesh-Token": "guessed", **KEY}
        straight = f"http://127.0.0.1:{dev.ports['EDGE_PORT']}/api/v1/session"
        assert httpx.get(straight, headers=claims, trust_env=False).status_code == 401
        answer = httpx.get(f"{dev.gateway}/api/v1/session", headers=claims, trust_env=False)
        assert answer.json() == {"user": "demo"}
        kept = [path for path in (tmp_path / "secrets").iterdir()]
        assert sorted(path.name for path in kept) == ["kong-session-secret", "mesh-token"]
        assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}


@pytest.mark.slow
def test_two_copies_run_side_by_side(tmp_path: Path) -> None:
    with running(tmp_path / "one") as one, running(tmp_path / "two") as two:
        for each in (one, two):
            each.wait_for("Taskmesh is up")
            assert _page(each, "/").startswith("<!doctype html>")
            assert "WebSocket" in _page(each, "/@vite/client"), "Vite's client reloads the page when its source changes"
        _create(one, "only in one")
        assert _titles(one) == ["only in one"]
        assert _titles(two) == []


@pytest.mark.slow
@pytest.mark.skipif("sys.platform != 'linux'", reason="only Linux ties a process to its parent")
def test_a_killed_service_or_runner_leaves_no_process_and_loses_no_task(tmp_path: Path) -> None:
    with running(tmp_path) as first:
        first.wait_for("Taskmesh is up")
        _create(first, "kept")
        first.descendants()["task_svc"].kill()
        assert first.wait() == 1
        assert "task_svc was killed by SIGKILL" in first.settled()
        assert first.left_behind() == []
    with running(tmp_path) as second:
        second.wait_for("Taskmesh is up")
        _create(second, "kept too")
        second.descendants()
        second.send(signal.SIGKILL)
        second.wait()
        assert second.left_behind() == []
    with running(tmp_path) as third:
        third.wait_for("Taskmesh is up")
        assert sorted(_titles(third)) == ["kept", "kept too"]
