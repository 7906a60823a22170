"""Deliveries of a channel that was removed from the settings are dead-lettered after the grace period."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from notify.v1 import dead_letters_pb2
from structlog.testing import capture_logs

from notify_svc.domain import Kind, Notification, Outcome
from notify_svc.storage import redis_client, redis_keys
from notify_svc.storage.event_store import EventStore
from tests.support.eventually import eventually
from tests.support.notify_svc.fake_task_events import FakeTaskEvents, fake_task_events
from tests.support.notify_svc.notifier import Clock, FakeChannel, Running, becomes, built, running, serving
from tests.support.notify_svc.task_events import OCCURRED_MS, created, publish
from tests.support.valkey import Valkey

EVENT_ID = created(1).event_id
SHORT: dict[str, Any] = {"channel_grace_seconds": 0.2, "claim_idle_seconds": 0.1}
NEVER: dict[str, Any] = {"delivery_timeout_seconds": 50, "delivery_lease_seconds": 60}
"""The deliveries of a channel that hangs stay pending during the test."""


@pytest.fixture
async def tasks() -> AsyncIterator[FakeTaskEvents]:
    async with fake_task_events() as fake:
        yield fake


async def left_behind(valkey: Valkey, tasks: FakeTaskEvents, *numbers: int) -> list[str]:
    """Stop a service before its channel `gone` has delivered; return the ids of the entries."""
    gone, kept = FakeChannel("gone", hangs=True), FakeChannel("kept")
    async with running(valkey.url, tasks.target, [gone, kept], **NEVER) as service:
        entries = await publish(service.redis, *map(created, numbers))
        await becomes(lambda: len(kept.delivered) == len(numbers))
        for number in numbers:
            await eventually(lambda number=number: has_outcome(service, number, "kept", b"delivered"))  # type: ignore[misc]
    return [entry.decode() for entry in entries]


async def has_outcome(service: Running, number: int, channel: str, outcome: bytes) -> bool:
    return await service.redis.hget(redis_keys.event_key(created(number).event_id), f"outcome:{channel}") == outcome


async def test_deliveries_of_a_removed_channel_are_given_up_counted_logged_and_confirmed(
    valkey: Valkey, tasks: FakeTaskEvents
) -> None:
    (entry,) = await left_behind(valkey, tasks, 1)
    assert not tasks.confirmed
    kept = FakeChannel("kept")
    with capture_logs() as lines:
        async with running(valkey.url, tasks.target, [kept], **SHORT) as service:
            await becomes(lambda: tasks.confirmed[EVENT_ID] == 1)
            await eventually(service.all_acknowledged)
            ((gone, _),) = [notification.deliveries for notification in await service.listed()]
            assert (gone.channel, gone.outcome, gone.attempts) == ("gone", Outcome.GAVE_UP, 1)
            letter = (await service.dead_letters())[f"{entry}/gone"]
            assert (letter[b"reason"], letter[b"channel"], letter[b"attempts"]) == (b"channel_removed", b"gone", b"1")
            assert service.metric("dead_lettered_total", reason="channel_removed") == 1
            assert not kept.delivered
            await eventually(lambda: is_removed(service, "gone"))
    assert [
        line["deliveries"] for line in lines if line["event"] == "dead-lettered deliveries of a removed channel"
    ] == [1]
    assert [line["key"] for line in lines if line["event"] == "dead letter"] == [f"{entry}/gone"]


async def is_removed(service: Running, channel: str) -> bool:
    return await service.redis.zscore(redis_keys.CHANNELS, channel) is None


async def test_several_replicas_give_up_each_delivery_once(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    await left_behind(valkey, tasks, *range(50))
    gone = FakeChannel("gone", hangs=True)
    async with running(valkey.url, tasks.target, [gone], **NEVER) as before:
        await publish(before.redis, *map(created, range(50, 250)))
        await eventually(lambda: has_pending(before, "gone", 250))
    async with (
        running(valkey.url, tasks.target, [FakeChannel("kept")], **SHORT) as one,
        running(valkey.url, tasks.target, [FakeChannel("kept")], **SHORT, consumer="two") as two,
    ):
        await eventually(one.all_acknowledged)
        await becomes(lambda: len(tasks.confirmed) == 250)
        assert len(await one.dead_letters()) == 250
        counted = [each.metric("dead_lettered_total", reason="channel_removed") for each in (one, two)]
        assert sum(counted) == 250
        assert await has_pending(one, "gone", 0)


async def has_pending(service: Running, channel: str, count: int) -> bool:
    return bool(await service.redis.zcard(redis_keys.pending_key(channel)) == count)


async def test_while_another_replica_has_the_channel_nothing_is_given_up(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    hanging = FakeChannel("shared", hangs=True)
    async with (
        running(valkey.url, tasks.target, [hanging], **{**NEVER, **SHORT}) as old,
        running(valkey.url, tasks.target, [FakeChannel("kept")], **SHORT, consumer="new") as new,
    ):
        await publish(old.redis, created(1))
        times = set[float | None]()
        await eventually(lambda: was_announced(new, times, 30, "shared"))  # three grace periods
        assert await new.dead_letters() == {}


async def test_after_an_outage_of_redis_the_grace_period_starts_again(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    await left_behind(valkey, tasks, 1)
    async with running(valkey.url, tasks.target, [FakeChannel("kept")], channel_grace_seconds=5) as service:
        await service.redis.zadd(redis_keys.CHANNELS, {"gone": OCCURRED_MS - 10**10})  # as after a long outage
        times = {await service.redis.zscore(redis_keys.CHANNELS, "kept")}
        await eventually(lambda: was_announced(service, times, 4, "kept"))
        assert await service.dead_letters() == {}
        assert await has_pending(service, "gone", 1)


async def was_announced(service: Running, times: set[float | None], count: int, channel: str) -> bool:
    times.add(await service.redis.zscore(redis_keys.CHANNELS, channel))
    return len(times) >= count


async def test_a_channel_that_was_announced_meanwhile_keeps_its_deliveries(
    valkey: Valkey, tasks: FakeTaskEvents
) -> None:
    await left_behind(valkey, tasks, 1)
    clock = Clock()
    async with built(valkey.url, tasks.target, now_ms=clock) as service:
        scripts = redis_client.Scripts(service.redis)
        await service.redis.zadd(redis_keys.CHANNELS, {"gone": clock.ms})
        keys = [redis_keys.CHANNELS, redis_keys.pending_key("gone")]
        assert await scripts.pending_of_removed(keys, ["gone", clock.ms, 10]) == []
        ((attempts, _entries, _notification),) = await scripts.pending_of_removed(keys, ["gone", clock.ms + 1, 10])
        assert attempts == 1
        assert await has_pending(service, "gone", 1)


async def test_recording_an_event_announces_the_channels_too(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    clock = Clock()
    async with built(valkey.url, tasks.target) as service:
        event_store = EventStore(service.redis, redis_client.Scripts(service.redis), ["gone"], clock)
        notification = Notification(EVENT_ID, Kind.TASK_CREATED, "demo", created(1).task.id, "Buy milk", OCCURRED_MS)
        await event_store.record([("1-1", notification)])
        assert await service.redis.zscore(redis_keys.CHANNELS, "gone") == clock.ms


async def test_a_completed_delivery_is_not_given_up(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    await left_behind(valkey, tasks, 1)
    async with built(valkey.url, tasks.target) as service:
        await service.redis.hset(redis_keys.event_key(EVENT_ID), "outcome:gone", "delivered")
        keys = [redis_keys.CHANNELS, redis_keys.pending_key("gone")]
        assert await redis_client.Scripts(service.redis).pending_of_removed(keys, ["gone", 10**15, 10]) == []
        assert await has_pending(service, "gone", 0)
        assert await is_removed(service, "gone")


async def test_a_channel_that_is_configured_again_can_replay_its_dead_letters(
    valkey: Valkey, tasks: FakeTaskEvents
) -> None:
    (entry,) = await left_behind(valkey, tasks, 1)
    async with running(valkey.url, tasks.target, [FakeChannel("kept")], **SHORT) as service:
        await eventually(service.all_acknowledged)
    back = FakeChannel("gone")
    async with serving(valkey.url, tasks.target, [back], **SHORT) as service:
        request = dead_letters_pb2.ReplayDeadLettersRequest(keys=[f"{entry}/gone"])
        assert (await service.letters.ReplayDeadLetters(request, timeout=5)).replayed_count == 1
        await becomes(lambda: [notification.id for notification in back.delivered] == [EVENT_ID])
        await becomes(lambda: tasks.confirmed[EVENT_ID] == 2)
