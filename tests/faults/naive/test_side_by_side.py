"""The same faults and the same questions for both: the mesh loses nothing, the naive one what nobody remembers."""

import asyncio
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.faults.harness.checker import Effects, effects
from tests.faults.harness.load import Entry, Load
from tests.faults.harness.report import ReportLosses
from tests.faults.harness.system import System, system
from tests.support.eventually import eventually

pytestmark = pytest.mark.faults

NAIVE = "tests.faults.naive.service"


@pytest.fixture(params=["with the outbox", "naive"])
def mesh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[System]:
    with system(tmp_path / "mesh") as running:
        if request.param == "naive":
            running.task.module = NAIVE
        yield running


def is_naive(mesh: System) -> bool:
    return mesh.task.module == NAIVE


async def settled(mesh: System, history: list[Entry]) -> Effects:
    """What there is of a history once no more of it will be told."""
    await mesh.ready()
    if is_naive(mesh):
        await another_is_told(mesh)

    async def is_over() -> bool:
        return await mesh.queue_is_at_rest() and (is_naive(mesh) or not (await effects(mesh)).untold)

    await eventually(is_over, within=60)
    found = await effects(mesh)
    acknowledged = {str(entry.task_id) for entry in history if entry.outcome == "ok"}
    assert acknowledged <= found.tasks, "what was acknowledged is stored, with and without an outbox"
    return Effects(acknowledged, found.notified)


async def another_is_told(mesh: System) -> None:
    """Events are pushed in order: when a later one was told, those before it were told or are lost."""
    numbers = count(10_000)

    async def is_told() -> bool:
        (last,) = await Load(mesh.edge_url, creates=1, first=next(numbers)).run()
        await asyncio.sleep(0.5)  # for one that is lost too is never told
        return str(last.task_id) in (await effects(mesh)).notified

    await eventually(is_told, within=60)


async def test_the_queue_is_away(mesh: System, report_losses: ReportLosses) -> None:
    await mesh.start()
    before = await Load(mesh.edge_url, creates=100).run()
    mesh.valkey.kill()
    without = await Load(mesh.edge_url, creates=200, first=100).run()
    await asyncio.to_thread(mesh.valkey.start)
    after = await Load(mesh.edge_url, creates=100, first=300).run()
    found = await settled(mesh, before + without + after)
    report_losses("the queue away during 200 of 400 creates", mesh.task.module, found)

    assert bool(found.untold) is is_naive(mesh)


async def test_the_task_service_is_killed(mesh: System, report_losses: ReportLosses) -> None:
    await mesh.start()
    load = Load(mesh.edge_url, creates=600, retry_for=30)
    running = asyncio.create_task(load.run())
    for n in range(1, 4):
        await load.reached(150 * n)
        mesh.valkey.pause(seconds=1)
        await load.reached(150 * n + 20)
        mesh.task.kill()
        mesh.task.start()
    found = await settled(mesh, await running)
    report_losses(
        "the task service killed 3 times during 600 creates, the queue a second late", mesh.task.module, found
    )

    assert bool(found.untold) is is_naive(mesh)


async def test_the_queue_comes_back_empty(mesh: System, report_losses: ReportLosses) -> None:
    await mesh.start()
    mesh.notify.kill()
    history = await Load(mesh.edge_url, creates=200).run()

    async def are_published() -> bool:
        return (await mesh.metrics("task_svc"))["outbox_published_total"] >= 200

    await eventually(are_published)
    mesh.valkey.clear()
    mesh.notify.start()
    found = await settled(mesh, history)
    report_losses("the queue emptied with 200 events in it", mesh.task.module, found)

    assert len(found.untold) == (200 if is_naive(mesh) else 0)
