"""The queue away, slow or full of repeats: what FAULTS calls A8, A9, B1 and C1."""

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
async def test_creates_go_on_while_the_queue_is_away_and_all_are_notified_when_it_is_back(
    mesh: System, report: Report
) -> None:
    await mesh.start()
    before = await Load(mesh.edge_url, creates=400).run()
    mesh.valkey.kill()
    without = await Load(mesh.edge_url, creates=400, first=400).run()

    async def outbox_has_grown() -> bool:
        return (await mesh.metrics("task_svc"))["outbox_pending"] >= 300

    await eventually(outbox_has_grown)
    assert [entry.outcome for entry in without] == ["ok"] * 400
    assert p99(without) <= 2 * p99(before) + 0.1

    await asyncio.to_thread(mesh.valkey.start)
    verdict = await check(mesh, before + without, repeats_allowed=200)
    report("B1", "queue killed during 400 creates, then back", verdict)
    assert verdict.acknowledged == 800


@pytest.mark.faults
async def test_a_queue_that_is_killed_and_restarted_under_load_loses_nothing(mesh: System, report: Report) -> None:
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
async def test_a_queue_that_comes_back_empty_still_notifies_what_is_owed(mesh: System, report: Report) -> None:
    await mesh.start()
    mesh.notify.kill()
    history = await Load(mesh.edge_url, creates=300).run()

    async def all_published() -> bool:
        return (await mesh.metrics("task_svc"))["outbox_pending"] == 0

    await eventually(all_published)
    mesh.valkey.clear()
    mesh.notify.start()
    verdict = await check(mesh, history)
    report("A9", "queue emptied with 300 events published and not yet read", verdict)

    assert verdict.notifications == 300
    assert (await mesh.metrics("task_svc"))["outbox_republished_total"] >= 300


async def test_the_same_event_a_hundred_times_has_one_effect(mesh: System, report: Report) -> None:
    await mesh.start()
    history = await Load(mesh.edge_url, creates=1).run()
    await check(mesh, history)
    async with Redis.from_url(mesh.valkey.url, socket_timeout=5) as redis:
        entries: Any = await redis.xrange("task-events")
        ((_, fields),) = entries
        for _ in range(100):
            await redis.xadd("task-events", fields)

    async def all_seen() -> bool:
        return (await mesh.metrics("notify_svc"))["events_duplicate_total"] >= 100

    await eventually(all_seen)
    verdict = await check(mesh, history)
    report("C1", "one event published 101 times", verdict)
    assert (verdict.notifications, verdict.repeated_deliveries) == (1, 0)


async def test_poison_of_every_kind_is_set_aside_and_what_follows_goes_on(mesh: System, report: Report) -> None:
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
    report("C3", f"{len(poison)} poisonous entries before 20 creates", verdict)

    assert verdict.notifications == 20
