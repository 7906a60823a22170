"""Reminders in the notification service are checked before delivery, delivered once, and do not delay other events."""

from collections.abc import AsyncIterator

import pytest
from task.v1 import events_pb2, task_pb2

from notify_svc.domain import Kind
from tests.support.eventually import eventually
from tests.support.notify_svc.fake_task_events import FakeTaskEvents, fake_task_events
from tests.support.notify_svc.notifier import FakeChannel, Running, running
from tests.support.notify_svc.task_events import created, due, publish
from tests.support.valkey import Valkey


@pytest.fixture
async def tasks() -> AsyncIterator[FakeTaskEvents]:
    async with fake_task_events() as fake:
        yield fake


def keep(tasks: FakeTaskEvents, event: events_pb2.TaskEvent) -> task_pb2.Task:
    """Add the event's task to the fake task service."""
    task = task_pb2.Task()
    task.CopyFrom(event.task)
    tasks.tasks[event.owner, event.task.id] = task
    return task


async def settled(service: Running, tasks: FakeTaskEvents, *events: events_pb2.TaskEvent) -> None:
    """Publish events and wait until all are confirmed and acknowledged."""
    await publish(service.redis, *events)

    async def is_over() -> bool:
        return {event.event_id for event in events} <= set(tasks.confirmed) and await service.all_acknowledged()

    await eventually(is_over)


async def test_a_valid_reminder_is_delivered_once_with_the_current_title(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    channel, event = FakeChannel(), due(1, "ann")
    keep(tasks, event).title = "Buy bread"
    async with running(valkey.url, tasks.target, [channel]) as service:
        await settled(service, tasks, event, event)
        (notification,) = await service.listed("ann")
        assert (notification.id, notification.kind, notification.title) == (event.event_id, Kind.TASK_DUE, "Buy bread")
        assert [delivered.id for delivered in channel.delivered] == [event.event_id]


@pytest.mark.parametrize("change", ["done", "deleted", "moved", "no longer due", "another owner's"])
async def test_an_outdated_reminder_is_confirmed_and_not_delivered(
    valkey: Valkey, tasks: FakeTaskEvents, change: str
) -> None:
    channel, event = FakeChannel(), due(1, "ann")
    task = keep(tasks, event)
    match change:
        case "done":
            task.status = task_pb2.TASK_STATUS_DONE
        case "deleted":
            tasks.tasks.clear()
        case "moved":
            task.due_time.seconds += 60
        case "no longer due":
            task.ClearField("due_time")
        case _:
            tasks.tasks["bob", task.id] = tasks.tasks.pop(("ann", task.id))
    async with running(valkey.url, tasks.target, [channel]) as service:
        await settled(service, tasks, event)
        assert channel.delivered == await service.listed("ann") == []
        assert service.metric("reminders_outdated_total") == 1


async def test_only_reminders_wait_while_the_task_service_is_unavailable(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    channel, event = FakeChannel(), due(1, "ann")
    keep(tasks, event)
    tasks.is_unavailable = True
    async with running(valkey.url, tasks.target, [channel], claim_idle_seconds=0.1, max_deliveries=1) as service:
        await publish(service.redis, event, created(2, "ann"))

        async def other_is_delivered() -> bool:
            return [delivered.id for delivered in channel.delivered] == [created(2).event_id]

        async def was_read_often() -> bool:
            return service.metric("stream_claimed_total") > 5 and tasks.shown > 3

        await eventually(other_is_delivered)
        await eventually(was_read_often, within=20)
        assert await service.dead_letters() == {}
        tasks.is_unavailable = False

        async def is_delivered() -> bool:
            return event.event_id in {delivered.id for delivered in channel.delivered}

        await eventually(is_delivered, within=20)
        assert len(channel.delivered) == 2


async def test_a_reminder_of_a_dead_process_is_delivered_by_the_next(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    event = due(1, "ann")
    keep(tasks, event)
    tasks.is_unavailable = True
    async with running(valkey.url, tasks.target, [FakeChannel()], consumer="one") as first:
        await publish(first.redis, event)
        await eventually(lambda: was_called(tasks))
    tasks.is_unavailable = False
    channel = FakeChannel()
    async with running(valkey.url, tasks.target, [channel], consumer="two", claim_idle_seconds=0.1) as second:
        await eventually(second.all_acknowledged, within=20)
        assert [delivered.id for delivered in channel.delivered] == [event.event_id]
        assert tasks.confirmed[event.event_id] >= 1


async def test_a_recorded_reminder_is_not_checked_again(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    channel, event = FakeChannel(), due(1, "ann")
    keep(tasks, event)
    async with running(valkey.url, tasks.target, [channel]) as service:
        await settled(service, tasks, event)
        tasks.tasks.clear()
        await settled(service, tasks, event)
        assert len(channel.delivered) == 1
        assert len(await service.listed("ann")) == 1
        assert service.metric("reminders_outdated_total") == 0


async def was_called(tasks: FakeTaskEvents) -> bool:
    return tasks.shown > 0
