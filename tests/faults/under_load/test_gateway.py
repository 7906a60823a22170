"""The gateway killed while somebody watches, and held by clients that never finish: FAULTS' A10 and F1.

Tried on the development gateway.
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
NOISE = 0.1  # what another test beside this one may add, in seconds; who is held up waits for many of them
_NEVER_ENDING = (
    b"POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    b"POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nX-API-Key: demo-key\r\n"
    b'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"title": "',
)


@pytest.fixture
async def gateway(tmp_path: Path, mesh: System) -> AsyncIterator[tuple[Process, httpx.AsyncClient]]:
    """The gateway before a mesh, and who is let in by it."""
    secrets = put_secrets(tmp_path / "secrets")
    token_file(secrets).write_text(TOKEN)
    port = free_port()
    environment = {"SECRETS_DIR": str(secrets), "GATEWAY_PORT": str(port), "EDGE_PORT": str(mesh.edge_port)}
    process = Process("kong.dev_gateway", environment, tmp_path / "gateway.log")
    await mesh.start()
    process.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=KEY, trust_env=False) as client:
            await is_let_in(client)
            yield process, client
    finally:
        process.close()


async def is_let_in(client: httpx.AsyncClient) -> None:
    """Returns when the gateway lets this caller in."""

    async def lets_in() -> bool:
        try:
            return (await client.get("/api/v1/session")).status_code == 200
        except httpx.TransportError:
            return False

    await eventually(lets_in, within=20)


@asynccontextmanager
async def slow_clients(url: str) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Connections on which a byte comes each second, half of them in a request's headers and half in its body."""
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


async def test_a_gateway_that_is_killed_is_found_again_and_watchers_miss_nothing(
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
    await is_let_in(client)
    seconds = now() - begun
    async with event_source(client, source.last_id) as again:
        missed = [(await again.next()).data for _ in range(2)]
    seen_again = f"back after {seconds:.1f} s, who watched missed nothing"
    record_property("fault", f"A10     kill -9 the development gateway: {seen_again}")

    assert sorted(seen) == ["notification", "task.created"]
    assert {each.get("task_id", each["id"]) for each in missed} == {written}


async def test_clients_that_never_finish_hold_up_nobody_at_the_gateway(
    gateway: tuple[Process, httpx.AsyncClient], record_property: Record
) -> None:
    _, client = gateway
    url = str(client.base_url)
    without = await Load(url, creates=CREATES, clients=5, headers=KEY).run()
    async with slow_clients(url) as slow:
        together = await Load(url, creates=CREATES, first=CREATES, clients=5, headers=KEY).run()
        hung_up = sum(reader.at_eof() for reader in slow)
    ratio = typical(together) / typical(without)
    seen = f"creates beside them take {typical(together) * 1000:.0f} ms (median), {ratio:.1f} times that without"
    record_property("fault", f"F1      {SLOW} clients at the development gateway that never finish: {seen}")

    assert {entry.outcome for entry in without + together} == {"ok"}
    assert hung_up == 0
    assert typical(together) <= 2 * typical(without) + NOISE


def typical(history: list[Entry]) -> float:
    """The median time of a call, in seconds: unlike the slowest, it does not depend on the tests beside this one."""
    return statistics.median(entry.ended - entry.begun for entry in history)


def _create_at_the_edge(mesh: System) -> str:
    headers = {"X-Consumer-Username": "demo", "X-Mesh-Token": TOKEN}
    answer = httpx.post(f"{mesh.edge_url}/api/v1/tasks", json={"title": "meanwhile"}, headers=headers)
    return str(answer.json()["id"])
