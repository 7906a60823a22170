"""The edge as a process: its start and its drain."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.edge_api.edge import as_user, token_file
from tests.support.edge_api.fake_services import running_fakes
from tests.support.ports import free_port
from tests.support.stack.processes import Service, service, wait_for

FAULTS = ("Traceback", "was destroyed", "never retrieved", '"level":"error"')


@contextmanager
def edge_process(directory: Path, **env: str) -> Iterator[tuple[Service, str]]:
    port = free_port()
    given = {
        "MESH_TOKEN_FILE": str(token_file(directory)),
        "EDGE_PORT": str(port),
        "EDGE_METRICS_PORT": str(free_port()),
        "TASK_GRPC_TARGET": f"127.0.0.1:{free_port()}",
        "NOTIFY_GRPC_TARGET": f"127.0.0.1:{free_port()}",
        "DRAIN_NOTICE_SECONDS": "1",
        **env,
    }
    with service("edge_api", given, directory / "edge.log") as process:
        yield process, f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_drain_loses_no_request_in_flight(tmp_path: Path, number: signal.Signals) -> None:
    async with running_fakes() as fakes:
        targets = {"TASK_GRPC_TARGET": f"127.0.0.1:{fakes.task_port}"}
        with edge_process(tmp_path, **targets) as (process, url):
            await asyncio.to_thread(wait_for, f"{url}/readyz", process)
            async with httpx.AsyncClient(base_url=url, headers=as_user("ada"), timeout=20) as client:
                release = fakes.tasks.behaviour.release = asyncio.Event()
                in_flight = asyncio.create_task(client.get("/api/v1/tasks"))
                await asyncio.wait_for(fakes.tasks.behaviour.entered.wait(), 5)
                process.send(number)
                await _until_draining(client)
                assert (await client.get("/healthz")).status_code == 200
                await _until_refused(url)
                release.set()
                assert (await in_flight).status_code == 200
            assert await asyncio.to_thread(process.wait) == 0
            assert not [fault for fault in FAULTS if fault in process.output()], process.output()


async def test_it_starts_without_the_services_and_serves_when_they_are_available(tmp_path: Path) -> None:
    with edge_process(tmp_path) as (process, url):
        await asyncio.to_thread(wait_for, f"{url}/healthz", process)
        async with httpx.AsyncClient(base_url=url, headers=as_user("ada"), timeout=10) as client:
            assert (await client.get("/api/v1/tasks")).status_code == 503
            assert (await client.get("/readyz")).status_code == 503
        assert process.is_running()


async def test_a_port_in_use_is_reported_and_ends_the_process_with_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for variable in ("EDGE_PORT", "EDGE_METRICS_PORT"):
            with edge_process(tmp_path, **{variable: str(port)}) as (process, _):
                assert await asyncio.to_thread(process.wait) == 1
                assert f"127.0.0.1:{port}" in process.output()
                assert "Traceback" not in process.output()


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({"MESH_TOKEN_FILE": "/nonexistent/token"}, "/nonexistent/token"),
        ({"EDGE_PORT": "http"}, "EDGE_PORT"),
    ],
)
async def test_a_bad_setting_is_reported_and_ends_the_process(tmp_path: Path, env: dict[str, str], named: str) -> None:
    with edge_process(tmp_path, **env) as (process, _):
        assert await asyncio.to_thread(process.wait) in (1, 2)
        assert named in process.output()
        assert "Traceback" not in process.output()


async def _until_draining(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(5):
        while True:
            if (await client.get("/readyz")).json().get("reason") == "DRAINING":
                return
            await asyncio.sleep(0.02)


async def _until_refused(url: str) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                async with httpx.AsyncClient(base_url=url) as another:
                    await another.get("/healthz")
            except httpx.TransportError:
                return
            await asyncio.sleep(0.05)
