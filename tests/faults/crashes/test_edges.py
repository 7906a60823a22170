"""One edge of two is killed: what FAULTS calls A3, for those whom the other one takes."""

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


async def test_all_goes_on_through_another_edge_when_one_is_killed_and_its_watcher_misses_nothing(
    mesh: System, report: Report
) -> None:
    await mesh.start()
    mesh.another_edge.start()
    await mesh.ready(mesh.another_edge_url)
    load = Load(mesh.another_edge_url, creates=600, rate=200)
    running = asyncio.create_task(load.run())
    heard: list[tuple[str, str]] = []

    async def hear(source: EventSource, until: int) -> None:
        while len(heard) < until:
            event = await source.next(within=30)
            heard.append((event.name, event.data.get("task_id", event.data["id"])))

    async with source_of(mesh, "ann") as source:
        await hear(source, until=50)
        mesh.edge.kill()
        with pytest.raises(httpx.TransportError):
            await hear(source, until=2 * load.creates)
    heard_of_the_first = len(heard)
    owed = 2 * load.creates // len(USERS)
    async with source_of(mesh, "ann", source.last_id, edge_url=mesh.another_edge_url) as again:
        await hear(again, until=owed)
    history = await running
    mesh.edge.start()
    verdict = await check(mesh, history)
    report("A3", "kill -9 one of two edge_api, under load through the other", verdict)

    assert heard_of_the_first < owed
    created = {str(entry.task_id) for entry in history if entry.user == "ann"}
    assert sorted(heard) == sorted((name, each) for name in ("task.created", "notification") for each in created)
    assert [entry.outcome for entry in history] == ["ok"] * 600
