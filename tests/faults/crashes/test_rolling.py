"""A rolling restart, a replica that hangs, and one that pauses (rows A12, B10, B15)."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.harness.checker import check
from tests.faults.harness.load import USERS, Load
from tests.faults.harness.report import Report
from tests.faults.harness.system import System, as_user, now, system
from tests.support.holding import until
from tests.support.task_svc.mongo import Nx27017

pytestmark = pytest.mark.faults


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[System]:
    store = Nx27017(tmp_path / "nx-27017")
    with system(tmp_path / "mesh", mongo=store, replicas=2, NOTIFY_CLAIM_IDLE_SECONDS="10") as running:
        yield running


async def test_no_call_fails_during_a_rolling_restart(mesh: System, report: Report) -> None:
    await mesh.start()
    replicas = [*mesh.task_replicas, *mesh.notify_replicas]
    load = Load(mesh.edge_url, creates=10_000, rate=40, clients=10)
    running = asyncio.create_task(load.run())
    statuses: list[int] = []

    async def read() -> None:
        async with httpx.AsyncClient(base_url=mesh.edge_url, headers=as_user(USERS[0])) as client:
            while True:
                for path in ("/api/v1/tasks", "/api/v1/notifications"):
                    statuses.append((await client.get(path, timeout=20)).status_code)
                await asyncio.sleep(0.1)

    reading = asyncio.create_task(read())
    for replica in replicas:
        replica.send(signal.SIGTERM)
        assert await asyncio.to_thread(replica.wait) == 0
        replica.start()
        await mesh.serves(replica)
        await mesh.is_called(replica)  # minReadySeconds in deploy/k8s waits for the same
    load.stop()
    history = await running
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    verdict = await check(mesh, history, repeats_allowed=200)
    load_size = f"{len(history)} creates and {len(statuses)} reads"
    report("A12", f"rolling restart of two replicas of each service during {load_size}", verdict)

    failed = [entry for entry in history if entry.status != 201]
    assert failed == []
    assert set(statuses) == {200}


async def test_the_entries_of_a_paused_notifier_are_not_claimed(mesh: System, report: Report) -> None:
    await mesh.start()
    load = Load(mesh.edge_url, creates=200, rate=50)
    running = asyncio.create_task(load.run())
    other, pausing = mesh.notify_replicas
    pausing.send(signal.SIGSTOP)
    await asyncio.sleep(2)  # the duration of the pause
    pausing.send(signal.SIGCONT)
    verdict = await check(mesh, await running)
    report("B15", "one of two notifiers paused for 2 s", verdict)

    assert (await other.metrics())["stream_claimed_total"] == 0
    assert (await pausing.metrics())["event_loop_lag_seconds_sum"] > 1
    assert verdict.repeated_deliveries == 0


async def test_a_hanging_replica_gets_no_calls_after_25_seconds(mesh: System, report: Report) -> None:
    await mesh.start()
    load = Load(mesh.edge_url, creates=10_000, rate=10, clients=20)
    running = asyncio.create_task(load.run())
    hanging = mesh.task_replicas[1]
    await mesh.serves(hanging)
    await mesh.is_called(hanging)
    begun = now()
    hanging.send(signal.SIGSTOP)

    def is_excluded() -> bool:
        outcomes = [entry.outcome for entry in load.history if entry.ended]
        return set(outcomes) != {"ok"} and set(outcomes[-100:]) == {"ok"}

    await until(is_excluded, within=60)
    load.stop()
    history = await running
    hanging.send(signal.SIGCONT)
    verdict = await check(mesh, history, repeats_allowed=200)
    failed = [entry for entry in history if entry.outcome != "ok"]
    last = max(entry.ended for entry in failed) - begun
    meanwhile = [entry for entry in history if begun < entry.begun < begun + last]
    share = len(failed) / len(meanwhile)
    report(
        "B10", f"one of two task services hangs: {share:.0%} of calls failed, last failure after {last:.0f} s", verdict
    )

    assert last <= 25
    assert share <= 0.6
    assert {entry.status for entry in failed} <= {503, 504}
    counted = await mesh.edge.metrics(grpc_code="DEADLINE_EXCEEDED")
    assert counted["grpc_client_handled_total"] >= sum(entry.status == 504 for entry in failed) > 0
