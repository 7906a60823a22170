"""One of two edges is killed, and its clients use the other one (row A3)."""

import asyncio

import httpx
import pytest

from tests.faults.harness.checker import check
from tests.faults.harness.load import USERS, Load
from tests.faults.harness.report import Report
from tests.faults.harness.system import System
from tests.faults.harness.watchers import source_of
from tests.support.edge_api.sse import EventSource

pytestmark = pytest.mark.faults


async def test_another_edge_serves_when_one_is_killed_and_its_watcher_misses_nothing(
    mesh: System, report: Report
) -> None:
    await mesh.start()
    mesh.another_edge.start()
    await mesh.ready(mesh.another_edge_url)
    load = Load(mesh.another_edge_url, creates=600, rate=200)
    running = asyncio.create_task(load.run())
    received: list[tuple[str, str]] = []

    async def receive(source: EventSource, until: int) -> None:
        while len(received) < until:
            event = await source.next(within=30)
            received.append((event.name, event.data.get("task_id", event.data["id"])))

    async with source_of(mesh, "ann") as source:
        await receive(source, until=50)
        mesh.edge.kill()
        with pytest.raises(httpx.TransportError):
            await receive(source, until=2 * load.creates)
    received_from_first = len(received)
    expected = 2 * load.creates // len(USERS)
    async with source_of(mesh, "ann", source.last_id, edge_url=mesh.another_edge_url) as again:
        await receive(again, until=expected)
    history = await running
    mesh.edge.start()
    verdict = await check(mesh, history)
    report("A3", "kill -9 one of two edge_api under load through the other", verdict)

    assert received_from_first < expected
    created = {str(entry.task_id) for entry in history if entry.user == "ann"}
    assert sorted(received) == sorted((name, each) for name in ("task.created", "notification") for each in created)
    assert [entry.outcome for entry in history] == ["ok"] * 600
