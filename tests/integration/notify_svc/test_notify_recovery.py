"""Entries that were read but not acknowledged are handled again; the service recovers from an outage of the queue."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.support.eventually import eventually
from tests.support.notify_svc.fake_task_events import FakeTaskEvents, fake_task_events
from tests.support.notify_svc.notifier import FakeChannel, becomes, running
from tests.support.notify_svc.task_events import created, publish
from tests.support.valkey import Valkey


@pytest.fixture
async def tasks() -> AsyncIterator[FakeTaskEvents]:
    async with fake_task_events() as fake:
        yield fake


@pytest.fixture
async def own_valkey(tmp_path: Path) -> AsyncIterator[Valkey]:
    """A server that the test may stop."""
    server = Valkey(tmp_path)
    server.start()
    yield server
    server.kill()


async def read_without_acknowledging(valkey: Valkey, consumer: str, count: int) -> None:
    """Read entries as a consumer that dies before it records them."""
    async with Redis.from_url(valkey.url) as redis:
        await redis.xgroup_create("task-events", "notifiers", id="0", mkstream=True)
        await publish(redis, *map(created, range(count)))
        await redis.xreadgroup("notifiers", consumer, {"task-events": ">"}, count=count)


async def test_own_pending_entries_come_first_and_all_of_them(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    await read_without_acknowledging(valkey, "me", 450)
    async with running(valkey.url, tasks.target, [FakeChannel()], consumer="me", claim_idle_seconds=3600) as service:
        await eventually(service.all_acknowledged)
        assert len(tasks.confirmed) == 450
        assert service.metric("events_redelivered_total") == 450
        assert service.metric("stream_claimed_total") == 0


async def test_entries_of_a_consumer_that_died_are_claimed(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    await read_without_acknowledging(valkey, "dead", 450)
    async with running(valkey.url, tasks.target, [FakeChannel()], claim_idle_seconds=0.1) as service:
        await eventually(service.all_acknowledged)
        assert len(tasks.confirmed) == 450
        assert service.metric("stream_claimed_total") >= 450


async def test_entries_that_were_deleted_while_pending_are_counted_and_block_nothing(
    valkey: Valkey, tasks: FakeTaskEvents
) -> None:
    await read_without_acknowledging(valkey, "me", 2)
    await read_by_another_and_delete(valkey)
    async with running(valkey.url, tasks.target, [FakeChannel()], consumer="me", claim_idle_seconds=0.1) as service:
        await eventually(service.all_acknowledged)
        await becomes(lambda: service.metric("stream_deleted_while_pending_total") == 3)


async def read_by_another_and_delete(valkey: Valkey) -> None:
    async with Redis.from_url(valkey.url) as redis:
        await publish(redis, created(100))
        await redis.xreadgroup("notifiers", "dead", {"task-events": ">"})
        await redis.xtrim("task-events", maxlen=0, approximate=False)


async def test_the_service_reconnects_to_a_restarted_queue(own_valkey: Valkey, tasks: FakeTaskEvents) -> None:
    channel = FakeChannel()
    async with running(own_valkey.url, tasks.target, [channel]) as service:
        await publish(service.redis, created(1))
        await eventually(service.all_acknowledged)
        await own_valkey.restart()
        await publish(service.redis, created(2))
        await becomes(lambda: tasks.confirmed[created(2).event_id] == 1)
        assert len(channel.delivered) == 2
        await service.notifier.check_ready()


async def test_a_queue_that_comes_back_empty_is_used_as_it_is(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    channel = FakeChannel()
    async with running(valkey.url, tasks.target, [channel]) as service:
        await publish(service.redis, created(1))
        await eventually(service.all_acknowledged)
        await service.redis.flushall()
        await publish(service.redis, created(1), created(2))
        await becomes(lambda: tasks.confirmed[created(2).event_id] == 1)
        await eventually(service.all_acknowledged)
        assert {notification.id for notification in await service.listed()} == {
            created(1).event_id,
            created(2).event_id,
        }
        # after one error, the consumer creates the group again
        assert service.metric("background_failures_total", job="consume") <= 3


async def test_an_event_published_again_after_its_stream_was_trimmed_notifies_once(
    valkey: Valkey, tasks: FakeTaskEvents
) -> None:
    tasks.is_unavailable = True
    channel = FakeChannel()
    async with running(valkey.url, tasks.target, [channel]) as service:
        await publish(service.redis, created(1))
        await becomes(lambda: service.metric("confirmations_failed_total") >= 1)
        await service.redis.xtrim("task-events", maxlen=0, approximate=False)
        await publish(service.redis, created(1))
        tasks.is_unavailable = False
        await eventually(service.all_acknowledged)
        assert tasks.confirmed[created(1).event_id] >= 1
        assert len(channel.delivered) == 1
