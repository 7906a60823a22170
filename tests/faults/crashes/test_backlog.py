"""A backlog of 100,000 events (row C5)."""

from collections.abc import Callable

import pytest
from redis.asyncio import Redis

from tests.faults.harness.system import System, now
from tests.support.eventually import eventually
from tests.support.task_svc.backlog import fill

EVENTS, USERS = 100_000, 200
MEMORY_GROWTH_MAX = 64 * 1024 * 1024


async def resident(mesh: System) -> dict[str, float]:
    return {name: (await mesh.metrics(name))["process_resident_memory_bytes"] for name in ("task_svc", "notify_svc")}


@pytest.mark.slow
async def test_a_backlog_of_100_000_events_drains_in_bounded_memory_and_notifies_each_once(
    mesh: System, record_property: Callable[[str, object], None]
) -> None:
    await mesh.start()
    mesh.task.kill()
    await fill(mesh.store, EVENTS, USERS)
    begun = now()
    mesh.task.start()
    await mesh.task_serves()
    before = await resident(mesh)
    peak = dict(before)

    async def is_drained() -> bool:
        for name, size in (await resident(mesh)).items():
            peak[name] = max(peak[name], size)
        return mesh.outbox() == 0

    await eventually(is_drained, within=600)
    seconds = now() - begun
    growth = {name: peak[name] - before[name] for name in peak}
    megabytes = ", ".join(f"{name} +{size / 1024 / 1024:.0f} MiB" for name, size in growth.items())
    record_property("fault", f"C5      {EVENTS} events in the outbox: drained in {seconds:.0f} s, {megabytes}")

    assert all(size <= MEMORY_GROWTH_MAX for size in growth.values()), megabytes
    async with Redis.from_url(mesh.valkey.url, socket_timeout=30) as redis:
        inboxes = [int(await redis.zcard(f"inbox:user-{number}")) for number in range(USERS)]
        assert inboxes == [EVENTS // USERS] * USERS
        assert int(await redis.zcard("dead-letters")) == 0
