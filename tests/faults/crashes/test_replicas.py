"""Replicas of both services on one MongoDB and one queue; some are killed (row A5)."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.harness.checker import check
from tests.faults.harness.load import USERS, Load
from tests.faults.harness.report import Report
from tests.faults.harness.system import System, as_user, system
from tests.support.edge_api.sse import event_source
from tests.support.eventually import eventually
from tests.support.task_svc.mongo import Nx27017

pytestmark = pytest.mark.faults

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[System]:
    with system(tmp_path / "mesh", mongo=Nx27017(tmp_path / "nx-27017"), replicas=2) as running:
        yield running


class Watch:
    """The events that one user receives as server-sent events, after `begin`."""

    def __init__(self, mesh: System, user: str) -> None:
        self.created: set[str] = set()
        self.notified: list[str] = []
        self._client = httpx.AsyncClient(base_url=mesh.edge_url, headers=as_user(user))
        self._begun = asyncio.Event()
        self._listening = asyncio.create_task(self._listen())

    async def begin(self) -> None:
        await asyncio.wait_for(self._begun.wait(), 20)

    async def received(self, tasks: int) -> None:
        """Wait until this number of tasks and of notifications was received."""

        async def has() -> bool:
            return len(self.created) >= tasks and len(self.notified) >= tasks

        await eventually(has, within=20)

    async def end(self) -> None:
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        await self._client.aclose()

    async def _listen(self) -> None:
        async with event_source(self._client) as source:
            self._begun.set()
            while True:
                event = await source.next(within=120)
                assert event.name in ("task.created", "notification"), event
                if event.name == "task.created":
                    self.created.add(event.data["id"])
                else:
                    self.notified.append(event.data["task_id"])


async def test_nothing_is_lost_or_notified_twice_when_a_replica_of_each_service_is_killed(
    mesh: System, report: Report
) -> None:
    await mesh.start()
    watches = {user: Watch(mesh, user) for user in USERS}
    for watch in watches.values():
        await watch.begin()
    load = Load(mesh.edge_url, creates=600, retry_for=30)
    running = asyncio.create_task(load.run())
    await load.reached(200)
    mesh.task_replicas[1].kill()
    await load.reached(400)
    mesh.notify_replicas[1].kill()
    history = await running
    verdict = await check(mesh, history, repeats_allowed=200)
    report("A5", "kill -9 one of two task_svc and one of two notify_svc under load", verdict)

    assert verdict.acknowledged == load.creates
    assert all(replica.lines("rpc") for replica in mesh.task_replicas)
    for user, watch in watches.items():
        acknowledged = {str(entry.task_id) for entry in history if entry.user == user and entry.outcome == "ok"}
        await watch.received(len(acknowledged))
        assert watch.created == acknowledged, "a watcher receives every task"
        assert sorted(watch.notified) == sorted(acknowledged), "a watcher receives every notification once"
        await watch.end()


async def test_another_replica_publishes_the_events_of_a_killed_one(mesh: System, report: Report) -> None:
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
    report("A5", "a replica with 100 stored, unpublished events is killed, another one publishes them", verdict)

    assert (verdict.acknowledged, verdict.notifications) == (100, 100)
