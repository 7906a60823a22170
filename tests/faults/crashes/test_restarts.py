"""Starts without the queue, full restarts, a backlog, and a full queue (rows A14, A16, B3, B16, C8, C13)."""

import asyncio

import httpx
import pytest
from redis.asyncio import Redis

from tests.faults.harness.checker import check
from tests.faults.harness.load import Entry, Load, attempt
from tests.faults.harness.report import Report
from tests.faults.harness.system import System, as_user, now
from tests.support.eventually import eventually
from tests.support.holding import until


async def test_services_that_start_before_the_queue_wait_for_it(mesh: System, report: Report) -> None:
    for process in (mesh.task, mesh.notify, mesh.edge):
        process.start()
    await mesh.task_serves()

    async def has_tried() -> bool:
        return len(mesh.notify.lines("background job failed")) >= 3

    await eventually(has_tried, within=20)
    history = await Load(mesh.edge_url, creates=20, retry_for=20).run()
    pids = mesh.task.pid, mesh.notify.pid
    await asyncio.to_thread(mesh.valkey.start)
    verdict = await check(mesh, history)
    report("A16", "all services start before the queue", verdict)

    assert (mesh.task.pid, mesh.notify.pid) == pids
    assert verdict.notifications == 20


@pytest.mark.faults
async def test_events_published_without_a_notifier_are_processed_when_it_is_back(mesh: System, report: Report) -> None:
    await mesh.start()
    mesh.notify.kill()
    history = await Load(mesh.edge_url).run()
    begun = now()
    mesh.notify.start()
    verdict = await check(mesh, history)
    rate = len(history) / (now() - begun)
    report("A14", f"no notifier during 1,000 creates; then {rate:.0f} events per second, including its start", verdict)

    assert verdict.notifications == 1_000
    assert rate >= 20


async def test_creates_succeed_while_the_queue_is_out_of_memory_and_notify_later(mesh: System, report: Report) -> None:
    await mesh.start()
    async with Redis.from_url(mesh.valkey.url, socket_timeout=5) as redis:
        await redis.config_set("maxmemory", 1)
        history = await Load(mesh.edge_url, creates=100).run()

        async def is_rejected() -> bool:
            return "OutOfMemory" in mesh.task.output()

        await eventually(is_rejected)
        await redis.config_set("maxmemory", 0)
    verdict = await check(mesh, history, repeats_allowed=200)
    report("B3", "the queue out of memory during 100 creates", verdict)

    assert {entry.outcome for entry in history} == {"ok"}
    assert verdict.notifications == 100


@pytest.mark.faults
async def test_creates_succeed_while_the_disk_of_the_queue_is_full_and_notify_later(
    mesh: System, report: Report
) -> None:
    await mesh.start()
    before = await Load(mesh.edge_url, creates=100).run()
    mesh.valkey.fill_disk()
    history = await Load(mesh.edge_url, creates=100, first=100).run()
    await until(lambda: mesh.valkey.has_ended)
    await mesh.valkey.restart()
    verdict = await check(mesh, before + history, repeats_allowed=200)
    report("B16", "the disk of the queue full during 100 creates, then a restart of the queue with free space", verdict)

    assert {entry.outcome for entry in history} == {"ok"}
    assert verdict.notifications == 200


async def test_a_task_changed_and_deleted_before_its_event_is_published_still_notifies(
    mesh: System, report: Report
) -> None:
    await mesh.start()
    mesh.valkey.kill()
    (entry,) = history = await Load(mesh.edge_url, creates=1).run()
    async with httpx.AsyncClient(base_url=mesh.edge_url, headers=as_user(entry.user)) as client:
        path = f"/api/v1/tasks/{entry.task_id}"
        assert (await client.patch(path, json={"description": "changed"})).status_code == 200
        assert (await client.delete(path)).status_code == 204
        await asyncio.to_thread(mesh.valkey.start)

        async def is_notified() -> bool:
            response = await client.get("/api/v1/notifications")
            return response.status_code == 200 and len(response.json()["notifications"]) == 1

        await eventually(is_notified, within=30)
        assert (await client.post(f"{path}:undelete")).status_code == 200
    verdict = await check(mesh, history)
    report("C8", "a task changed and deleted before its event is published", verdict)


@pytest.mark.faults
async def test_an_idempotency_key_is_known_after_a_restart_of_everything(mesh: System, report: Report) -> None:
    await mesh.start()
    history = await Load(mesh.edge_url, creates=20).run()
    for process in (mesh.edge, mesh.notify, mesh.task):
        process.kill()
    await mesh.valkey.restart()
    for process in (mesh.task, mesh.notify, mesh.edge):
        process.start()
    await mesh.ready()
    again = [Entry(entry.number, entry.user, entry.key, begun=now()) for entry in history]
    async with httpx.AsyncClient(base_url=mesh.edge_url) as client:
        for entry in again:
            await attempt(client, entry)
    verdict = await check(mesh, history + again, repeats_allowed=200)
    report("C13", "all processes killed and restarted, then every create repeated with its key", verdict)

    assert [entry.task_id for entry in again] == [entry.task_id for entry in history]
    assert verdict.tasks == 20
