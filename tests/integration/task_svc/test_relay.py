"""The relay with a real store and a real stream loses no event, and publishes a repeated event with the same id."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from redis.exceptions import RedisError

from task_svc.domain import Task
from task_svc.event_stream import STREAM, RedisEventStream
from task_svc.outbox import OutboxEntry, PublishMark, Slot
from task_svc.relay import Pauses, Relay
from task_svc.relay_metrics import RelayMetrics
from task_svc.repository import Creation
from task_svc.sqlite.store import SqliteTaskRepository, open_store
from tests.support.clock import HandClock
from tests.support.eventually import eventually
from tests.support.task_svc.tasks import creation, new_task, pending, written
from tests.support.valkey import Valkey

PAUSES = Pauses(timedelta(seconds=2), first_check=timedelta(seconds=15), longest_check=timedelta(seconds=300))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteTaskRepository]:
    async with open_store(tmp_path / "tasks.db") as opened:
        yield opened


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[Redis]:
    async with Redis.from_url(valkey.url, socket_timeout=2) as client:
        yield client


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def relay(store: SqliteTaskRepository, redis: Redis, clock: HandClock, registry: CollectorRegistry) -> Relay:
    return Relay(store, RedisEventStream(redis), clock, PAUSES, RelayMetrics(registry))


async def stored(store: SqliteTaskRepository, clock: HandClock, number: int = 1) -> list[Creation]:
    created = [creation(new_task(at=clock.now)) for _ in range(number)]
    await asyncio.gather(*(store.insert(each) for each in created))
    return created


async def on_stream(redis: Redis) -> list[tuple[str, bytes]]:
    entries: Any = await redis.xrange(STREAM)
    return [(fields[b"id"].decode(), fields[b"event"]) for _, fields in entries]


async def test_a_written_event_is_published_at_once(
    store: SqliteTaskRepository, relay: Relay, redis: Redis, clock: HandClock
) -> None:
    (created,) = await stored(store, clock)
    jobs = [asyncio.create_task(job()) for job in (relay.publish_written, relay.note_published)]
    relay.publish_soon(created.event)

    async def is_marked() -> bool:
        return (await store.backlog()).unconfirmed == 1

    await eventually(is_marked)
    for job in jobs:
        job.cancel()

    assert await on_stream(redis) == [(str(created.event.id), created.event.payload)]


async def test_the_sweep_publishes_unpublished_events_in_order(
    store: SqliteTaskRepository, relay: Relay, redis: Redis, clock: HandClock
) -> None:
    first = await stored(store, clock)
    clock.move(seconds=1)
    second = await stored(store, clock)

    assert await relay.sweep_once() == 2
    assert [event_id for event_id, _ in await on_stream(redis)] == [str(each.event.id) for each in first + second]
    assert (await store.backlog()).unpublished == 0


async def test_a_large_backlog_is_swept_batch_by_batch_each_event_once(
    store: SqliteTaskRepository, relay: Relay, redis: Redis, clock: HandClock
) -> None:
    created = await stored(store, clock, 1_000)
    while await relay.sweep_once():
        pass

    assert sorted(event_id for event_id, _ in await on_stream(redis)) == sorted(str(each.event.id) for each in created)


async def test_two_sweeps_at_once_publish_the_same_events_under_the_same_ids(
    store: SqliteTaskRepository, relay: Relay, redis: Redis, clock: HandClock
) -> None:
    created = await stored(store, clock, 50)
    other = Relay(store, RedisEventStream(redis), clock, PAUSES, RelayMetrics(CollectorRegistry()))
    await asyncio.gather(relay.sweep_once(), other.sweep_once())

    assert {event_id for event_id, _ in await on_stream(redis)} == {str(each.event.id) for each in created}
    assert (await store.backlog()).unpublished == 0


async def test_an_unconfirmed_event_is_not_published_again_while_the_stream_holds_it(
    store: SqliteTaskRepository, relay: Relay, redis: Redis, clock: HandClock
) -> None:
    await stored(store, clock)
    for _ in range(10):
        await relay.sweep_once()
        clock.move(seconds=400)

    assert await redis.xlen(STREAM) == 1


async def test_an_unconfirmed_event_that_the_stream_lost_is_published_again(
    store: SqliteTaskRepository, relay: Relay, redis: Redis, clock: HandClock, registry: CollectorRegistry
) -> None:
    created = await stored(store, clock, 3)
    await relay.sweep_once()
    await redis.flushall()
    clock.move(seconds=14)
    assert await relay.sweep_once() == 0

    clock.move(seconds=1)
    assert await relay.sweep_once() == 3

    assert {event_id for event_id, _ in await on_stream(redis)} == {str(each.event.id) for each in created}
    assert registry.get_sample_value("outbox_republished_total") == 3


async def test_a_confirmed_event_is_never_checked_again(
    store: SqliteTaskRepository, relay: Relay, redis: Redis, clock: HandClock
) -> None:
    (created,) = await stored(store, clock)
    await relay.sweep_once()
    await store.confirmed([created.event.id])
    await redis.flushall()
    clock.move(days=1)

    assert await relay.sweep_once() == 0
    assert await redis.xlen(STREAM) == 0


async def test_the_pauses_between_checks_double_up_to_the_longest(
    store: SqliteTaskRepository, relay: Relay, clock: HandClock
) -> None:
    await stored(store, clock)
    await relay.sweep_once()
    pauses = []
    for _ in range(7):
        (event,) = await store.pending(clock.now + timedelta(days=1), 1)
        pauses.append((event.next_attempt_at - clock.now).total_seconds())
        clock.now = event.next_attempt_at
        await relay.sweep_once()

    assert pauses == [15, 30, 60, 120, 240, 300, 300]


async def test_a_change_is_published_once_and_only_its_newest_state(
    store: SqliteTaskRepository, relay: Relay, redis: Redis, clock: HandClock
) -> None:
    (created,) = await stored(store, clock)
    await relay.sweep_once()
    for _ in range(2):
        await store.change("ann", created.task.id, lambda found: changed(written(found, later=0)))
    await relay.sweep_once()

    published = [str(created.event.id), f"{created.task.id}:3:changed"]
    assert [event_id for event_id, _ in await on_stream(redis)] == published

    await redis.flushall()
    await store.confirmed([created.event.id])
    clock.move(days=1)
    assert await relay.sweep_once() == 0


def changed(task: Task) -> tuple[Task, OutboxEntry]:
    return task, pending(task, Slot.CHANGED)


async def test_events_that_the_queue_could_not_take_are_swept_when_it_is_back(
    store: SqliteTaskRepository, relay: Relay, valkey: Valkey, clock: HandClock, registry: CollectorRegistry
) -> None:
    created = await stored(store, clock, 5)
    valkey.kill()
    for each in created:
        relay.publish_soon(each.event)
    with pytest.raises(RedisError):
        await relay.publish_written()
    with pytest.raises(RedisError):
        await relay.sweep_once()
    assert (await store.backlog()).unpublished == 5
    assert registry.get_sample_value("outbox_left_to_sweep_total") == 5

    valkey.start()
    assert await relay.sweep_once() == 5
    assert (await store.backlog()).unpublished == 0


async def test_events_beyond_the_capacity_of_the_queue_are_left_to_the_sweep(
    store: SqliteTaskRepository, relay: Relay, clock: HandClock, registry: CollectorRegistry
) -> None:
    (created,) = await stored(store, clock)
    for _ in range(1_100):
        relay.publish_soon(created.event)

    assert registry.get_sample_value("outbox_left_to_sweep_total") == 100


async def test_a_crash_between_publishing_and_marking_publishes_the_same_event_again(
    store: SqliteTaskRepository, redis: Redis, clock: HandClock
) -> None:
    (created,) = await stored(store, clock)

    class Crash(Exception):
        pass

    class CrashingStore(SqliteTaskRepository):
        async def mark_published(self, marks: Sequence[PublishMark]) -> None:
            if marks:
                raise Crash

    crashing = CrashingStore(store._writer, store._lookups, store._scans)
    with suppress(Crash):
        await Relay(crashing, RedisEventStream(redis), clock, PAUSES, RelayMetrics(CollectorRegistry())).sweep_once()
    await Relay(store, RedisEventStream(redis), clock, PAUSES, RelayMetrics(CollectorRegistry())).sweep_once()

    entry = (str(created.event.id), created.event.payload)
    assert await on_stream(redis) == [entry, entry]


async def test_the_backlog_is_on_the_metrics_page(
    store: SqliteTaskRepository, clock: HandClock, registry: CollectorRegistry
) -> None:
    metrics = RelayMetrics(registry)
    await stored(store, clock, 2)
    clock.move(seconds=7)
    await metrics.refresh(store, clock)

    assert registry.get_sample_value("outbox_pending") == 2
    assert registry.get_sample_value("outbox_unconfirmed") == 0
    assert registry.get_sample_value("outbox_oldest_pending_seconds") == 7
