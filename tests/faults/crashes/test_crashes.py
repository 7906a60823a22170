"""Services crash or stop under load (rows A1 with SQLite, A2, A3, A6, A7, A11)."""

import asyncio
import signal

import httpx
import pytest

from tests.faults.harness.checker import check
from tests.faults.harness.load import KILLS, Load, while_killed
from tests.faults.harness.report import Report
from tests.faults.harness.system import Process, System, as_user, now


@pytest.mark.faults
async def test_no_acknowledged_task_is_lost_when_the_task_service_is_killed(mesh: System, report: Report) -> None:
    await mesh.start()
    load = Load(mesh.edge_url, retry_for=30)
    running = asyncio.create_task(load.run())
    await load.reached(300)
    mesh.task.kill()
    await asyncio.sleep(1)  # the duration of the outage
    mesh.task.start()
    await mesh.task_serves()
    restarted = now()
    history = await running
    verdict = await check(mesh, history)
    report("A2", "kill -9 task_svc after 30% of the creates, restarted after 1 s", verdict)

    statuses = {entry.status for entry in history if entry.outcome == "unknown"}
    assert statuses <= {503, 504, None}
    assert verdict.acknowledged == load.creates
    recovered = min(entry.ended for entry in history if entry.outcome == "ok" and entry.begun > restarted)
    assert recovered - restarted <= 5


@pytest.mark.faults
async def test_no_acknowledged_task_is_lost_when_the_task_service_is_killed_60_times(
    mesh: System, report: Report
) -> None:
    await mesh.start()

    async def kill() -> None:
        mesh.task.kill()
        mesh.task.start()
        await mesh.task_serves()

    history = await while_killed(mesh.edge_url, kill)
    verdict = await check(mesh, history, repeats_allowed=200)
    report("A1", f"kill -9 task_svc with its SQLite store {KILLS} times under load", verdict)

    assert verdict.acknowledged == len({entry.key for entry in history})


@pytest.mark.faults
async def test_nothing_is_lost_or_notified_twice_when_the_notifier_is_killed(mesh: System, report: Report) -> None:
    await mesh.start()
    load = Load(mesh.edge_url)
    running = asyncio.create_task(load.run())
    kills = 3
    for n in range(1, kills + 1):
        await load.reached(250 * n)
        mesh.notify.kill()
        mesh.notify.start()
    history = await running
    verdict = await check(mesh, history, repeats_allowed=kills * 200)
    report("A6, A7", f"kill -9 notify_svc {kills} times under load", verdict)

    assert verdict.acknowledged == load.creates


@pytest.mark.faults
async def test_a_killed_edge_leaves_no_create_incomplete(mesh: System, report: Report) -> None:
    await mesh.start()
    load = Load(mesh.edge_url, retry_for=30)
    running = asyncio.create_task(load.run())
    await load.reached(300)
    mesh.edge.kill()
    mesh.edge.start()
    history = await running
    verdict = await check(mesh, history)
    report("A3", "kill -9 edge_api after 30% of the creates", verdict)

    assert {entry.status for entry in history if entry.outcome == "unknown"} <= {None}
    assert verdict.acknowledged == load.creates


@pytest.mark.faults
@pytest.mark.parametrize("module", ["task_svc", "notify_svc", "edge_api"])
async def test_a_service_stopped_under_load_completes_calls_in_flight(
    mesh: System, report: Report, module: str
) -> None:
    await mesh.start()
    process: Process = {"task_svc": mesh.task, "notify_svc": mesh.notify, "edge_api": mesh.edge}[module]
    load = Load(mesh.edge_url, creates=600)
    running = asyncio.create_task(load.run())
    await load.reached(300)
    stopped = now()
    process.send(signal.SIGTERM)
    status = await asyncio.to_thread(process.wait)
    seconds = now() - stopped
    history = await running
    process.start()
    verdict = await check(mesh, history, repeats_allowed=200)
    report("A11", f"SIGTERM {module} while {load.clients} clients create tasks at full speed", verdict)

    assert status == 0
    assert seconds <= 20
    seen = {line["request_id"] for kind in ("rpc", "request") for line in process.lines(kind)}
    unanswered = [entry for entry in history if entry.begun < stopped and entry.outcome != "ok"]
    assert seen
    assert [entry for entry in unanswered if entry.request_id is None or entry.request_id in seen] == []
    assert not any(word in process.output() for word in ("Task was destroyed", "Traceback", "never retrieved"))


async def test_a_stopping_edge_is_not_ready_before_it_rejects_calls(mesh: System) -> None:
    await mesh.start()
    async with httpx.AsyncClient(base_url=mesh.edge_url) as client:
        assert (await client.get("/readyz")).status_code == 200
        mesh.edge.send(signal.SIGTERM)
        async with asyncio.timeout(10):
            while (readiness := await client.get("/readyz")).status_code == 200:
                pass
        listed = await client.get("/api/v1/tasks", headers=as_user("ann"))
    status = await asyncio.to_thread(mesh.edge.wait)

    assert readiness.status_code == 503
    assert listed.status_code == 200
    assert status == 0
