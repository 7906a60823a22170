"""Replicas of both services on one MongoDB and one queue, and the end of some of them: what FAULTS calls A5."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.load import Load
from tests.faults.oracle import check
from tests.faults.report import Report
from tests.faults.system import System, system
from tests.faults.test_crashes import at
from tests.support.mongo import Nx27017

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[System]:
    with system(tmp_path / "mesh", mongo=Nx27017(tmp_path / "nx-27017"), replicas=2) as running:
        yield running


async def test_nothing_is_lost_or_told_twice_when_a_replica_of_each_service_is_killed(
    mesh: System, report: Report
) -> None:
    await mesh.start()
    load = Load(mesh.edge_url, creates=600, retry_for=30)
    running = asyncio.create_task(load.run())
    await at(load, 200)
    mesh.task_replicas[1].kill()
    await at(load, 400)
    mesh.notify_replicas[1].kill()
    history = await running
    verdict = await check(mesh, history, repeats_allowed=200)
    report("A5", "kill -9 one of two task_svc and one of two notify_svc under load", verdict)

    assert verdict.acknowledged == load.creates
    assert all(replica.lines("rpc") for replica in mesh.task_replicas)


async def test_what_a_killed_replica_had_stored_and_not_published_is_published_by_another(
    mesh: System, report: Report
) -> None:
    await mesh.start()
    other = mesh.task_replicas[1]
    other.kill()
    mesh.task.kill()
    mesh.task.start(REDIS_URL=NOWHERE)
    await mesh.ready()
    history = await Load(mesh.edge_url, creates=100).run()
    assert mesh.outbox() == 100
    mesh.task.kill()
    other.start()
    verdict = await check(mesh, history)
    report("A5", "a replica that could not publish is killed with 100 events stored, another takes over", verdict)

    assert (verdict.acknowledged, verdict.notifications) == (100, 100)
