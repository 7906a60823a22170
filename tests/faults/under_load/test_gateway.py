"""The gateway killed while a client watches, and occupied by clients that never finish (rows A10, F1).

The tests use the development gateway.
"""

import asyncio
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from chassis.background_jobs import end
from tests.faults.harness.load import Entry, Load
from tests.faults.harness.report import Record
from tests.faults.harness.system import TOKEN, Process, System, now
from tests.support.edge_api.edge import token_file
from tests.support.edge_api.sse import event_source
from tests.support.eventually import eventually
from tests.support.kong.dev_gateway import put_secrets
from tests.support.ports import free_port

KEY = {"x-api-key": "demo-key"}
SLOW, CREATES = 500, 150
NOISE = 0.1  # the time that parallel tests may add, in seconds; a delayed call takes many times as long
_NEVER_ENDING = (
    b"POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    b"POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nX-API-Key: demo-key\r\n"
    b'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"title": "',
)


@pytest.fixture
async def gateway(tmp_path: Path, mesh: System) -> AsyncIterator[tuple[Process, httpx.AsyncClient]]:
    """A gateway with a mesh, and a client that it accepts."""
    secrets = put_secrets(tmp_path / "secrets")
    token_file(secrets).write_text(TOKEN)
    port = free_port()
    environment = {"SECRETS_DIR": str(secrets), "GATEWAY_PORT": str(port), "EDGE_PORT": str(mesh.edge_port)}
    process = Process("kong.dev_gateway", environment, tmp_path / "gateway.log")
    await mesh.start()
    process.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=KEY, trust_env=False) as client:
            await is_accepted(client)
            yield process, client
    finally:
        process.close()


async def is_accepted(client: httpx.AsyncClient) -> None:
    """Wait until the gateway accepts this client."""

    async def accepts() -> bool:
        try:
            return (await client.get("/api/v1/session")).status_code == 200
        except httpx.TransportError:
            return False

    await eventually(accepts, within=20)


@asynccontextmanager
async def slow_clients(url: str) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Open connections that send one byte per second: half of them in the headers of a request, half in its body."""
    address = httpx.URL(url)
    opened = [await asyncio.open_connection(address.host, address.port) for _ in range(SLOW)]

    async def drip() -> None:
        for number, (_, writer) in enumerate(opened):
            writer.write(_NEVER_ENDING[number % 2])
        while True:
            await asyncio.sleep(1)
            for _, writer in opened:
                writer.write(b"x")

    dripping = asyncio.create_task(drip())
    try:
        yield [reader for reader, _ in opened]
    finally:
        await end([dripping])
        for _, writer in opened:
            writer.transport.abort()


async def test_watchers_miss_nothing_when_the_gateway_is_killed(
    mesh: System, gateway: tuple[Process, httpx.AsyncClient], record_property: Record
) -> None:
    process, client = gateway
    async with event_source(client) as source:
        assert (await client.post("/api/v1/tasks", json={"title": "before"})).status_code == 201
        seen = [(await source.next()).name for _ in range(2)]
        process.kill()
        with pytest.raises(httpx.TransportError):
            await source.next()
    with pytest.raises(httpx.TransportError):
        await client.get("/api/v1/session")
    written = await asyncio.to_thread(_create_at_the_edge, mesh)
    begun = now()
    process.start()
    await is_accepted(client)
    seconds = now() - begun
    async with event_source(client, source.last_id) as again:
        missed = [(await again.next()).data for _ in range(2)]
    result = f"available {seconds:.1f} s after its restart, watchers missed nothing"
    record_property("fault", f"A10     kill -9 the development gateway: {result}")

    assert sorted(seen) == ["notification", "task.created"]
    assert {each.get("task_id", each["id"]) for each in missed} == {written}


async def test_slow_clients_at_the_gateway_do_not_delay_others(
    gateway: tuple[Process, httpx.AsyncClient], record_property: Record
) -> None:
    _, client = gateway
    url = str(client.base_url)
    without = await Load(url, creates=CREATES, clients=5, headers=KEY).run()
    async with slow_clients(url) as slow:
        together = await Load(url, creates=CREATES, first=CREATES, clients=5, headers=KEY).run()
        hung_up = sum(reader.at_eof() for reader in slow)
    ratio = typical(together) / typical(without)
    result = f"other creates take {typical(together) * 1000:.0f} ms (median), {ratio:.1f} times as long as without"
    record_property("fault", f"F1      {SLOW} clients that never finish at the development gateway: {result}")

    assert {entry.outcome for entry in without + together} == {"ok"}
    assert hung_up == 0
    assert typical(together) <= 2 * typical(without) + NOISE


def typical(history: list[Entry]) -> float:
    """Return the median time of a call, in seconds. Unlike the maximum, it does not depend on parallel tests."""
    return statistics.median(entry.ended - entry.begun for entry in history)


def _create_at_the_edge(mesh: System) -> str:
    headers = {"X-Consumer-Username": "demo", "X-Mesh-Token": TOKEN}
    response = httpx.post(f"{mesh.edge_url}/api/v1/tasks", json={"title": "meanwhile"}, headers=headers)
    return str(response.json()["id"])
