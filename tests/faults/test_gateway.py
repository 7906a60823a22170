"""The gateway killed while somebody watches, and held by clients that never finish: FAULTS' A10 and F1.

With the stand-in that reads kong.yml.
"""

import asyncio
import statistics
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from chassis.supervise import end
from tests.faults.report import Record
from tests.faults.system import TOKEN, Process, System, now
from tests.support.edge import token_file
from tests.support.eventually import eventually
from tests.support.ports import free_port
from tests.support.sse import event_source
from tests.support.standin import put_secrets

KEY = {"x-api-key": "demo-key"}
SLOW, CREATES = 500, 150
NOISE = 0.1  # what another test beside this one may add, in seconds; who is held up waits for many of them
_NEVER_ENDING = (
    b"POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    b"POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nX-API-Key: demo-key\r\n"
    b'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"title": "',
)


@pytest.fixture
def gateway(tmp_path: Path, mesh: System) -> Iterator[tuple[Process, str]]:
    secrets = put_secrets(tmp_path / "secrets")
    token_file(secrets).write_text(TOKEN)
    port = free_port()
    environment = {"SECRETS_DIR": str(secrets), "GATEWAY_PORT": str(port), "EDGE_PORT": str(mesh.edge_port)}
    process = Process("kong.standin", environment, tmp_path / "gateway.log")
    yield process, f"http://127.0.0.1:{port}"
    process.close()


@asynccontextmanager
async def caller(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Who calls through the gateway, which lets in by now."""
    async with httpx.AsyncClient(base_url=url, headers=KEY, trust_env=False) as client:
        await is_let_in(client)
        yield client


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


async def p99_of_creates(client: httpx.AsyncClient) -> float:
    """Within how many seconds 99 of 100 creates are acknowledged, five made at once."""
    at_once = asyncio.Semaphore(5)

    async def create(number: int) -> float:
        async with at_once:
            begun = now()
            answer = await client.post("/api/v1/tasks", json={"title": f"Task {number}"})
            assert answer.status_code == 201, answer.text
            return now() - begun

    return statistics.quantiles(await asyncio.gather(*map(create, range(CREATES))), n=100)[98]


async def test_a_gateway_that_is_killed_is_found_again_and_watchers_miss_nothing(
    mesh: System, gateway: tuple[Process, str], record_property: Record
) -> None:
    await mesh.start()
    process, url = gateway
    process.start()
    async with caller(url) as client:
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
    record_property("fault", f"A10     kill -9 the stand-in of the gateway: {seen_again}")

    assert sorted(seen) == ["notification", "task.created"]
    assert {each.get("task_id", each["id"]) for each in missed} == {written}


async def test_clients_that_never_finish_hold_up_nobody_at_the_gateway(
    mesh: System, gateway: tuple[Process, str], record_property: Record
) -> None:
    await mesh.start()
    process, url = gateway
    process.start()
    async with caller(url) as client:
        without = await p99_of_creates(client)
        async with slow_clients(url) as slow:
            together = await p99_of_creates(client)
            hung_up = sum(reader.at_eof() for reader in slow)
    seen = f"p99 of creates beside them {together * 1000:.0f} ms, {together / without:.1f} times that without"
    record_property("fault", f"F1      {SLOW} clients at the stand-in of the gateway that never finish: {seen}")

    assert hung_up == 0
    assert together <= 2 * without + NOISE


def _create_at_the_edge(mesh: System) -> str:
    headers = {"X-Consumer-Username": "demo", "X-Mesh-Token": TOKEN}
    answer = httpx.post(f"{mesh.edge_url}/api/v1/tasks", json={"title": "meanwhile"}, headers=headers)
    return str(answer.json()["id"])
