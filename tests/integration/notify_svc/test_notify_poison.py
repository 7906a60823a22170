"""Invalid entries are dead-lettered with a reason, and do not delay later entries."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs
from task.v1 import events_pb2

from tests.support.eventually import eventually
from tests.support.notify_svc.fake_task_events import FakeTaskEvents, fake_task_events
from tests.support.notify_svc.notifier import FakeChannel, built, running
from tests.support.notify_svc.task_events import created, entry, publish
from tests.support.valkey import Valkey


@pytest.fixture
async def tasks() -> AsyncIterator[FakeTaskEvents]:
    async with fake_task_events() as fake:
        yield fake


def modified(change: Callable[[events_pb2.TaskEvent], object]) -> dict[bytes, bytes]:
    event = created(1)
    change(event)
    return entry(event)


GOOD = entry(created(1))
POISON = {
    "a truncated protobuf": (GOOD | {b"event": GOOD[b"event"][:-3]}, "malformed"),
    "bytes that are not a protobuf": (GOOD | {b"event": b"\xff\xfe\x00"}, "malformed"),
    "a megabyte": (GOOD | {b"event": b"x" * 1_048_577}, "too_large"),
    "no event": ({b"id": GOOD[b"id"]}, "missing_field"),
    "no id": ({b"event": GOOD[b"event"]}, "missing_field"),
    "other fields": ({b"hello": b"world"}, "missing_field"),
    "an unknown type": (modified(lambda event: setattr(event, "type", 99)), "unknown_type"),
    "a later version": (modified(lambda event: setattr(event, "schema_version", 2)), "unknown_version"),
    "another's id": (GOOD | {b"id": created(2).event_id.encode()}, "id_mismatch"),
    "another type's slot": (modified(lambda event: setattr(event, "type", 2)), "id_mismatch"),
    "no task": (modified(lambda event: event.ClearField("task")), "missing_field"),
    "no owner": (modified(lambda event: event.ClearField("owner")), "missing_field"),
    "no title": (modified(lambda event: event.task.ClearField("title")), "missing_field"),
}


@pytest.mark.parametrize(("fields", "reason"), POISON.values(), ids=POISON.keys())
async def test_an_invalid_event_is_dead_lettered_at_once_and_later_events_are_handled(
    valkey: Valkey, tasks: FakeTaskEvents, fields: dict[bytes, bytes], reason: str
) -> None:
    channel = FakeChannel()
    async with running(valkey.url, tasks.target, [channel]) as service:
        entry_id: Any = await service.redis.xadd("task-events", dict(fields.items()))
        poisoned = entry_id.decode()
        await publish(service.redis, created(5))
        await eventually(service.all_acknowledged)

        letters = await service.dead_letters()
        assert list(letters) == [poisoned]
        letter = letters[poisoned]
        assert letter[b"reason"].decode() == reason
        assert letter[b"id"] == fields.get(b"id", b"")
        assert letter[b"event"] == kept(fields.get(b"event", b""))
        assert letter[b"attempts"] == b"1"
        assert int(letter[b"time"]) > 0
        assert service.metric("dead_lettered_total", reason=reason) == 1
        assert [notification.id for notification in channel.delivered] == [created(5).event_id]
        confirmable = {fields[b"id"].decode()} if b"id" in fields else set[str]()
        assert set(tasks.confirmed) == {created(5).event_id} | confirmable


def kept(event: bytes) -> bytes:
    return event if len(event) <= 65_536 else b""


async def test_an_event_too_large_to_store_leaves_its_size(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    async with running(valkey.url, tasks.target, [FakeChannel()]) as service:
        for length in (65_536, 65_537):
            await service.redis.xadd("task-events", {"id": created(1).event_id, "event": b"\xff" * length})
        await eventually(service.all_acknowledged)
        short, long = (await service.dead_letters()).values()
        assert len(short[b"event"]) == 65_536
        assert not long[b"event"]
        assert b"65537 bytes" in long[b"detail"]


async def test_at_most_ten_thousand_dead_letters_are_kept_and_the_oldest_are_dropped(
    valkey: Valkey, tasks: FakeTaskEvents
) -> None:
    async with Redis.from_url(valkey.url) as redis:
        keys = [f"{number}-0" for number in range(10_000)]
        await redis.zadd("dead-letters", {key: number for number, key in enumerate(keys)})
        for key in keys[:3]:
            await redis.hset(f"dead-letter:{key}", "reason", "malformed")
    with capture_logs() as lines:
        async with running(valkey.url, tasks.target, [FakeChannel()]) as service:
            for _ in range(2):
                await service.redis.xadd("task-events", {"hello": "world"})
            await eventually(service.all_acknowledged)

            assert await service.redis.zcard("dead-letters") == 10_000
            assert await service.redis.zrange("dead-letters", 0, 0) == [b"2-0"]
            assert await service.redis.exists("dead-letter:0-0", "dead-letter:1-0", "dead-letter:2-0") == 1
            assert service.metric("dead_letters_dropped_total") == 2
    dropped = [line for line in lines if line["event"] == "dropped the oldest dead letters"]
    assert [(line["log_level"], line["count"], line["first"]) for line in dropped] == [
        ("error", 1, "0-0"),
        ("error", 1, "1-0"),
    ]


async def test_a_dead_letter_is_stored_once(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    async with built(valkey.url, tasks.target, [FakeChannel()], consumer="me") as parts:
        await parts.redis.xadd("task-events", {"id": created(1).event_id, "event": b"\xff"})
        tasks.is_unavailable = True
        async with running(valkey.url, tasks.target, [FakeChannel()], consumer="me") as first:
            await eventually(lambda: has_dead_letters(first.redis, 1))
        tasks.is_unavailable = False
        async with running(valkey.url, tasks.target, [FakeChannel()], consumer="me") as second:
            await eventually(second.all_acknowledged)
            assert await has_dead_letters(second.redis, 1)
            assert second.metric("events_redelivered_total") == 1


async def test_an_entry_that_is_redelivered_too_often_without_being_recorded_is_dead_lettered(
    valkey: Valkey, tasks: FakeTaskEvents
) -> None:
    async with Redis.from_url(valkey.url) as redis:
        await redis.xgroup_create("task-events", "notifiers", id="0", mkstream=True)
        await publish(redis, created(1))
        streams = {"task-events": ">"}
        await redis.xreadgroup("notifiers", "me", dict(streams.items()))
        for _ in range(5):  # five processes that died while handling it
            await redis.xreadgroup("notifiers", "me", {"task-events": "0"})
    async with running(valkey.url, tasks.target, [FakeChannel()], consumer="me") as service:
        await eventually(service.all_acknowledged)
        (letter,) = (await service.dead_letters()).values()
        assert letter[b"reason"] == b"worn_out"
        assert int(letter[b"attempts"]) > 5
        assert tasks.confirmed[created(1).event_id] == 1


async def test_an_entry_that_only_waits_for_a_channel_is_never_dead_lettered(
    valkey: Valkey, tasks: FakeTaskEvents
) -> None:
    hanging = FakeChannel(hangs=True)
    settings = {"claim_idle_seconds": 0.1, "delivery_timeout_seconds": 50, "delivery_lease_seconds": 100}
    async with running(valkey.url, tasks.target, [hanging], **settings) as service:
        await publish(service.redis, created(1))

        async def is_read_often() -> bool:
            # the consumer waits up to a second for new entries before it claims again
            await publish(service.redis, created(2))
            return service.metric("stream_claimed_total") > 7

        await eventually(is_read_often)
        assert not await service.dead_letters()


async def has_dead_letters(redis: Redis, count: int) -> bool:
    return bool(await redis.zcard("dead-letters") == count)
