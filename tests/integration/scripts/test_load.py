"""`make load` and `make seed` against a running mesh."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from scripts import seed
from scripts.load import Load, Options
from tests import ROOT
from tests.support.edge_api.edge import TOKEN
from tests.support.kong.gateway import gateway_to
from tests.support.stack.processes import whole_mesh
from tests.support.valkey import Valkey

_SCRIPT = ROOT / "scripts/load.py"
_HEADERS = {"X-Mesh-Token": TOKEN}


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory, valkey_server: Valkey) -> Iterator[str]:
    with whole_mesh(tmp_path_factory.mktemp("mesh"), valkey_server.url) as url:
        yield url


def test_valid_requests_succeed_and_the_invalid_share_is_refused(edge: str) -> None:
    load = Load(Options(edge, _HEADERS, rate=60, seconds=4, error_share=0.2))
    load.run()
    assert load.statuses.total() == 240
    assert load.unexpected == 0
    assert set(load.statuses) <= {"200", "201", "204", "404", "422"}
    assert load.statuses["422"] > 5


def test_requests_are_sent_when_they_are_due_without_a_response(tmp_path: Path) -> None:
    load = Load(Options("http://127.0.0.1:1", _HEADERS, rate=100, seconds=1))
    load.run()
    assert load.statuses == {"none": 100}


def _command(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, _SCRIPT, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_command_prints_rates_latencies_and_statuses(edge: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    port = str(httpx.URL(edge).port)
    ran = _command("--rate", "40", "--seconds", "2", MESH_TOKEN_FILE=str(token), EDGE_PORT=port)
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"^all +80 +[\d.]+/s( +\d+ ms){3}$", ran.stdout, re.MULTILINE)
    assert re.search(r"^responses: .*\d+ of 200.*; unexpected: 0$", ran.stdout, re.MULTILINE)


def test_without_a_mesh_the_command_reports_the_missing_token(tmp_path: Path) -> None:
    ran = _command(MESH_TOKEN_FILE=str(tmp_path / "none"))
    assert ran.returncode == 2
    assert "start the system: make dev" in ran.stderr


async def test_through_the_gateway_its_rate_limits_apply(edge: str) -> None:
    async with gateway_to(edge, is_limited=True) as gateway:
        port = str(httpx.URL(gateway.url).port)
        process = await _started("--through-gateway", "--rate", "30", "--seconds", "1", GATEWAY_PORT=port)
        output, _ = await process.communicate()
    assert re.search(r"responses: .*\d+ of 429", output.decode()), output.decode()


async def _started(*arguments: str, **environment: str) -> "asyncio.subprocess.Process":
    return await asyncio.create_subprocess_exec(
        sys.executable, str(_SCRIPT), *arguments, env={**os.environ, **environment}, stdout=asyncio.subprocess.PIPE
    )


def test_seeding_twice_duplicates_no_task_and_keeps_changes(edge: str) -> None:
    headers = {**_HEADERS, "X-Consumer-Username": "seeded"}
    with httpx.Client(base_url=edge, headers=headers, trust_env=False) as client:
        seed.seed(client)
        tasks = {task["title"]: task for task in client.get("/api/v1/tasks").json()["tasks"]}
        assert {title: task["status"] for title, task in tasks.items()} == {
            body["title"]: status for body, status in seed.TASKS
        }
        merge = {"Content-Type": "application/merge-patch+json"}
        client.patch(f"/api/v1/tasks/{tasks['Buy bread']['id']}", json={"status": "TODO"}, headers=merge)
        seed.seed(client)
        after = {task["title"]: task for task in client.get("/api/v1/tasks").json()["tasks"]}
    assert len(after) == len(tasks)
    assert after["Buy bread"]["status"] == "TODO"
