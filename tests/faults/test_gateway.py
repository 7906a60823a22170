"""The gateway killed while somebody watches: FAULTS' A10, with the stand-in that reads kong.yml."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.report import Record
from tests.faults.system import TOKEN, Process, System, now
from tests.support.edge import token_file
from tests.support.eventually import eventually
from tests.support.ports import free_port
from tests.support.sse import event_source
from tests.support.standin import put_secrets

KEY = {"x-api-key": "demo-key"}


@pytest.fixture
def gateway(tmp_path: Path, mesh: System) -> Iterator[tuple[Process, str]]:
    secrets = put_secrets(tmp_path / "secrets")
    token_file(secrets).write_text(TOKEN)
    port = free_port()
    environment = {"SECRETS_DIR": str(secrets), "GATEWAY_PORT": str(port), "EDGE_PORT": str(mesh.edge_port)}
    process = Process("kong.standin", environment, tmp_path / "gateway.log")
    yield process, f"http://127.0.0.1:{port}"
    process.close()


async def test_a_gateway_that_is_killed_is_found_again_and_watchers_miss_nothing(
    mesh: System, gateway: tuple[Process, str], record_property: Record
) -> None:
    await mesh.start()
    process, url = gateway
    process.start()
    async with httpx.AsyncClient(base_url=url, headers=KEY, trust_env=False) as client:

        async def lets_in() -> bool:
            try:
                return (await client.get("/api/v1/session")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(lets_in, within=20)
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
        await eventually(lets_in, within=20)
        seconds = now() - begun
        async with event_source(client, source.last_id) as again:
            missed = [(await again.next()).data for _ in range(2)]
    seen_again = f"back after {seconds:.1f} s, who watched missed nothing"
    record_property("fault", f"A10     kill -9 the stand-in of the gateway: {seen_again}")

    assert sorted(seen) == ["notification", "task.created"]
    assert {each.get("task_id", each["id"]) for each in missed} == {written}


def _create_at_the_edge(mesh: System) -> str:
    headers = {"X-Consumer-Username": "demo", "X-Mesh-Token": TOKEN}
    answer = httpx.post(f"{mesh.edge_url}/api/v1/tasks", json={"title": "meanwhile"}, headers=headers)
    return str(answer.json()["id"])
