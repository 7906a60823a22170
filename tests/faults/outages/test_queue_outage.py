"""The queue killed, unavailable, emptied, and with repeated or unprocessable entries (rows A8, A9, B1, C1, C3)."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.faults.harness.checker import check
from tests.faults.harness.load import Load, p99
from tests.faults.harness.report import Report
from tests.faults.harness.system import System
from tests.support.eventually import eventually


@pytest.mark.faults
async def test_creates_succeed_while_the_queue_is_unavailable_and_notify_later(mesh: System, report: Report) -> None:
    await mesh.start()
    before = await Load(mesh.edge_url, creates=400).run()
    mesh.valkey.kill()
    rounds = [await Load(mesh.edge_url, creates=200, first=first).run() for first in (400, 600)]
    without = [entry for each in rounds for entry in each]

    async def outbox_has_grown() -> bool:
        return (await mesh.metrics("task_svc"))["outbox_pending"] >= 300

    await eventually(outbox_has_grown)
    assert [entry.outcome for entry in without] == ["ok"] * 400
    assert min(map(p99, rounds)) <= 2 * p99(before) + 0.1  # a stall of the disk slows the calls of one round

    await asyncio.to_thread(mesh.valkey.start)
    verdict = await check(mesh, before + without, repeats_allowed=200)
    report("B1", "the queue down during 400 creates, then restarted", verdict)
    assert verdict.acknowledged == 800


@pytest.mark.faults
async def test_nothing_is_lost_when_the_queue_is_killed_under_load(mesh: System, report: Report) -> None:
    await mesh.start()
    running = asyncio.create_task(Load(mesh.edge_url, creates=600, rate=200).run())
    for _ in range(2):
        await asyncio.sleep(1)  # a second of load between the kills
        await mesh.valkey.restart()
    verdict = await check(mesh, await running, repeats_allowed=400)
    report("A8", "kill -9 valkey twice under load", verdict)

    assert verdict.acknowledged == 600
    assert mesh.notify.output().count("NOGROUP") <= 2


@pytest.mark.faults
async def test_all_notifications_arrive_after_the_queue_restarts_empty(mesh: System, report: Report) -> None:
    await mesh.start()
    mesh.notify.kill()
    history = await Load(mesh.edge_url, creates=300).run()

    async def all_published() -> bool:
        return (await mesh.metrics("task_svc"))["outbox_pending"] == 0

    await eventually(all_published)
    mesh.valkey.clear()
    mesh.notify.start()
    verdict = await check(mesh, history)
    report("A9", "the queue emptied with 300 unread events", verdict)

    assert verdict.notifications == 300
    assert (await mesh.metrics("task_svc"))["outbox_republished_total"] >= 300


async def test_an_event_published_101_times_notifies_once(mesh: System, report: Report) -> None:
    await mesh.start()
    history = await Load(mesh.edge_url, creates=1).run()
    await check(mesh, history)
    async with Redis.from_url(mesh.valkey.url, socket_timeout=5) as redis:
        entries: Any = await redis.xrange("task-events")
        ((_, fields),) = entries
        for _ in range(100):
            await redis.xadd("task-events", fields)

    async def all_processed() -> bool:
        return (await mesh.metrics("notify_svc"))["events_duplicate_total"] >= 100

    await eventually(all_processed)
    verdict = await check(mesh, history)
    report("C1", "one event published 101 times", verdict)
    assert (verdict.notifications, verdict.repeated_deliveries) == (1, 0)


async def test_unprocessable_entries_become_dead_letters_and_later_events_are_processed(
    mesh: System, report: Report
) -> None:
    await mesh.start()
    poison: list[dict[str, bytes]] = [
        {"id": b"x", "event": b"\xff\xff\xff"},
        {"id": b"x", "event": b""},
        {"id": b"x"},
        {"event": b"\x0a\x02\xff\xfe"},
        {"nonsense": b"\xc3\x28"},
        {"id": b"x", "event": b"x" * 1_000_000},
    ]
    async with Redis.from_url(mesh.valkey.url, socket_timeout=5) as redis:
        for fields in poison:
            await redis.xadd("task-events", fields)  # type: ignore[arg-type]
    history = await Load(mesh.edge_url, creates=20).run()
    verdict = await check(mesh, history, given_up=len(poison))
    report("C3", f"{len(poison)} unprocessable entries before 20 creates", verdict)

    assert verdict.notifications == 20
