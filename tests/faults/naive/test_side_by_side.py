"""The same faults for the mesh and for the naive variant: the mesh loses nothing, the naive variant loses events."""

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


@pytest.fixture(params=["with an outbox", "naive"])
def mesh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[System]:
    with system(tmp_path / "mesh") as running:
        if request.param == "naive":
            running.task.module = NAIVE
        yield running


def is_naive(mesh: System) -> bool:
    return mesh.task.module == NAIVE


async def final_effects(mesh: System, history: list[Entry]) -> Effects:
    """Return the effects of a history after the last notification."""
    await mesh.ready()
    if is_naive(mesh):
        await a_later_task_is_notified(mesh)

    async def is_final() -> bool:
        return await mesh.queue_is_drained() and (is_naive(mesh) or not (await effects(mesh)).lost)

    await eventually(is_final, within=60)
    found = await effects(mesh)
    acknowledged = {str(entry.task_id) for entry in history if entry.outcome == "ok"}
    assert acknowledged <= found.tasks, "every acknowledged task is stored, with and without an outbox"
    return Effects(acknowledged, found.notified)


async def a_later_task_is_notified(mesh: System) -> None:
    """Events are published in order: after a later notification, each earlier event was either notified or lost."""
    numbers = count(10_000)

    async def is_notified() -> bool:
        (last,) = await Load(mesh.edge_url, creates=1, first=next(numbers)).run()
        await asyncio.sleep(0.5)  # this event can be lost too, so the next attempt creates another task
        return str(last.task_id) in (await effects(mesh)).notified

    await eventually(is_notified, within=60)


async def test_the_queue_is_unavailable(mesh: System, report_losses: ReportLosses) -> None:
    await mesh.start()
    before = await Load(mesh.edge_url, creates=100).run()
    mesh.valkey.kill()
    without = await Load(mesh.edge_url, creates=200, first=100).run()
    await asyncio.to_thread(mesh.valkey.start)
    after = await Load(mesh.edge_url, creates=100, first=300).run()
    found = await final_effects(mesh, before + without + after)
    report_losses("the queue unavailable during 200 of 400 creates", mesh.task.module, found)

    assert bool(found.lost) is is_naive(mesh)


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
    found = await final_effects(mesh, await running)
    report_losses(
        "the task service killed 3 times during 600 creates, with 1 s pauses of the queue", mesh.task.module, found
    )

    assert bool(found.lost) is is_naive(mesh)


async def test_the_queue_restarts_empty(mesh: System, report_losses: ReportLosses) -> None:
    await mesh.start()
    mesh.notify.kill()
    history = await Load(mesh.edge_url, creates=200).run()

    async def are_published() -> bool:
        return (await mesh.metrics("task_svc"))["outbox_published_total"] >= 200

    await eventually(are_published)
    mesh.valkey.clear()
    mesh.notify.start()
    found = await final_effects(mesh, history)
    report_losses("the queue emptied with 200 unread events", mesh.task.module, found)

    assert len(found.lost) == (200 if is_naive(mesh) else 0)
