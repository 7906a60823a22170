"""A repeated event has one effect, and an event is acknowledged only after its confirmation."""

from collections.abc import AsyncIterator

import pytest

from tests.support.eventually import eventually
from tests.support.notify_svc import task_events
from tests.support.notify_svc.fake_task_events import FakeTaskEvents, fake_task_events
from tests.support.notify_svc.notifier import FakeChannel, becomes, running
from tests.support.notify_svc.task_events import changed, created, publish
from tests.support.valkey import Valkey


@pytest.fixture
async def tasks() -> AsyncIterator[FakeTaskEvents]:
    async with fake_task_events() as fake:
        yield fake


async def test_the_same_event_a_hundred_times_notifies_once_and_is_acknowledged_a_hundred_times(
    valkey: Valkey, tasks: FakeTaskEvents
) -> None:
    channel = FakeChannel()
    async with running(valkey.url, tasks.target, [channel]) as service:
        await publish(service.redis, *[created(1)] * 100)
        await eventually(service.all_acknowledged)

        assert [notification.id for notification in await service.listed()] == [created(1).event_id]
        assert len(channel.delivered) == 1
        assert service.metric("events_duplicate_total") == 99
        assert await service.redis.xlen("notifications") == 1


async def test_a_repeat_after_the_end_has_no_effect_but_is_confirmed_again(
    valkey: Valkey, tasks: FakeTaskEvents
) -> None:
    channel = FakeChannel()
    async with running(valkey.url, tasks.target, [channel]) as service:
        await publish(service.redis, created(1))
        await becomes(lambda: tasks.confirmed[created(1).event_id] == 1)
        await publish(service.redis, created(1))
        await becomes(lambda: tasks.confirmed[created(1).event_id] == 2)
        await eventually(service.all_acknowledged)
        assert len(channel.delivered) == 1


async def test_a_repeat_while_a_delivery_is_under_way_is_acknowledged_with_it(
    valkey: Valkey, tasks: FakeTaskEvents
) -> None:
    slow = FakeChannel(failures=20)
    settings = {"max_attempts": 100, "retry_first_seconds": 0.05, "retry_longest_seconds": 0.05}
    async with running(valkey.url, tasks.target, [slow], **settings) as service:
        await publish(service.redis, created(1), created(1))
        await becomes(lambda: service.metric("events_duplicate_total") == 1)
        assert await service.pending() == 2
        await eventually(service.all_acknowledged)
        assert len(slow.delivered) == 1


async def test_a_channel_gets_the_complete_notification(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    channel = FakeChannel()
    async with running(valkey.url, tasks.target, [channel]) as service:
        await publish(service.redis, created(7, owner="ann", title='Milch & "Käse" 🧀'))
        await becomes(lambda: len(channel.delivered) == 1)
    (notification,) = channel.delivered
    assert (notification.owner, notification.title, notification.task_id) == (
        "ann",
        'Milch & "Käse" 🧀',
        task_events.task_id(7),
    )
    assert (notification.request_id, notification.traceparent) == ("request-7", task_events.TRACEPARENT)
    assert notification.create_time_ms == task_events.OCCURRED_MS


async def test_changes_cause_no_notification_and_need_no_confirmation(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    async with running(valkey.url, tasks.target, [FakeChannel()]) as service:
        await publish(service.redis, changed(1))
        await eventually(service.all_acknowledged)
        assert not await service.listed()
        assert not tasks.confirmed


async def test_nothing_is_acknowledged_before_it_was_confirmed(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    tasks.is_unavailable = True
    channel = FakeChannel()
    async with running(valkey.url, tasks.target, [channel], claim_idle_seconds=0.1) as service:
        await publish(service.redis, *map(created, range(3)))
        await becomes(lambda: service.metric("stream_claimed_total") >= 3)
        assert len(channel.delivered) == 3
        assert await service.pending() == 3
        # entries that wait and are claimed again are not duplicates
        assert service.metric("events_duplicate_total") == 0

        tasks.is_unavailable = False
        await eventually(service.all_acknowledged)
        assert set(tasks.confirmed) == {created(number).event_id for number in range(3)}
        assert tasks.users == []


async def test_reading_pauses_while_too_many_events_wait_for_confirmation(
    valkey: Valkey, tasks: FakeTaskEvents
) -> None:
    tasks.is_unavailable = True
    async with running(valkey.url, tasks.target, [FakeChannel()], unconfirmed_limit=10) as service:
        await publish(service.redis, *map(created, range(1000)))
        await becomes(lambda: service.metric("confirmations_failed_total") >= 2)
        assert await service.pending() < 1000
        await service.notifier.check_ready()

        tasks.is_unavailable = False
        await eventually(service.all_acknowledged, within=30)
        assert len(tasks.confirmed) == 1000
