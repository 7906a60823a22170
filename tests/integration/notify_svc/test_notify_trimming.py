"""The streams are trimmed, but unread and unacknowledged entries are kept."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from notify_svc.events.trimmer import KEPT_MS, Trimmer
from notify_svc.storage.redis_client import Scripts
from tests.support.notify_svc.task_events import created, entry
from tests.support.valkey import Valkey

NOW_MS = 10 * KEPT_MS
OLD, RECENT = 100, NOW_MS - KEPT_MS + 1


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[Redis]:
    async with Redis.from_url(valkey.url) as client:
        yield client


async def add(redis: Redis, *milliseconds: int) -> None:
    for number in milliseconds:
        await redis.xadd("task-events", dict(entry(created(number)).items()), id=f"{number}-0")


async def read(redis: Redis, count: int) -> None:
    await redis.xreadgroup("notifiers", "me", {"task-events": ">"}, count=count)


async def left(redis: Redis, stream: str) -> list[int]:
    rows: Any = await redis.xrange(stream)
    return [int(entry_id.split(b"-")[0]) for entry_id, _ in rows]


async def trimmed(redis: Redis) -> list[int]:
    """Trim once; return the milliseconds of the remaining entries."""
    await Trimmer(redis, Scripts(redis), lambda: NOW_MS).trim()
    return await left(redis, "task-events")


async def test_without_a_group_nothing_is_trimmed(redis: Redis) -> None:
    await add(redis, OLD)
    assert await trimmed(redis) == [OLD]


async def test_unread_entries_are_kept_at_any_age(redis: Redis) -> None:
    await add(redis, OLD, OLD + 1)
    await redis.xgroup_create("task-events", "notifiers", id="0")
    assert await trimmed(redis) == [OLD, OLD + 1]


async def test_unacknowledged_entries_and_all_later_ones_are_kept(redis: Redis) -> None:
    await add(redis, OLD, OLD + 1, OLD + 2, RECENT)
    await redis.xgroup_create("task-events", "notifiers", id="0")
    await read(redis, 4)
    await redis.xack("task-events", "notifiers", f"{OLD}-0", f"{OLD + 2}-0")
    assert await trimmed(redis) == [OLD + 1, OLD + 2, RECENT]


async def test_acknowledged_entries_are_dropped_after_fifteen_minutes(redis: Redis) -> None:
    await add(redis, OLD, OLD + 1, RECENT, NOW_MS)
    await redis.xgroup_create("task-events", "notifiers", id="0")
    await read(redis, 4)
    await redis.xack("task-events", "notifiers", *(f"{each}-0" for each in (OLD, OLD + 1, RECENT, NOW_MS)))
    assert await trimmed(redis) == [RECENT, NOW_MS]


async def test_notifications_are_dropped_after_fifteen_minutes(redis: Redis) -> None:
    for milliseconds in (OLD, RECENT):
        await redis.xadd("notifications", {"id": "x"}, id=f"{milliseconds}-0")
    await trimmed(redis)
    assert await left(redis, "notifications") == [RECENT]


async def test_only_idle_consumers_without_pending_entries_are_dropped(redis: Redis) -> None:
    await add(redis, RECENT)
    await redis.xgroup_create("task-events", "notifiers", id="0")
    await read(redis, 1)
    await redis.xgroup_createconsumer("task-events", "notifiers", "empty")
    scripts = Scripts(redis)
    assert await scripts.drop_consumers(["task-events"], ["notifiers", 60_000]) == 0
    assert await scripts.drop_consumers(["task-events"], ["notifiers", -1]) == 1
    assert [each["name"] for each in await redis.xinfo_consumers("task-events", "notifiers")] == [b"me"]
