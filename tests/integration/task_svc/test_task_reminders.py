"""The task service creates one reminder for each due_time of an open task, at the configured lead."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from task.v1 import events_pb2, task_pb2

from tests.support.task_svc.task_service import RunningTaskService, task_service

ANN = (("x-consumer-username", "ann"),)
LEAD = timedelta(minutes=15)
TODO, DONE = task_pb2.TASK_STATUS_TODO, task_pb2.TASK_STATUS_DONE


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[RunningTaskService]:
    async with task_service(tmp_path, reminder_lead=LEAD) as running:
        yield running


def due_in(service: RunningTaskService, **how_long: float) -> task_pb2.Task:
    task = task_pb2.Task(title="Buy milk")
    task.due_time.FromDatetime(service.clock.now + timedelta(**how_long))
    return task


async def create(service: RunningTaskService, task: task_pb2.Task) -> task_pb2.Task:
    return (await service.tasks.CreateTask(task_pb2.CreateTaskRequest(task=task), metadata=ANN)).task


async def update(service: RunningTaskService, task_id: str, task: task_pb2.Task, *paths: str) -> None:
    task.id = task_id
    request = task_pb2.UpdateTaskRequest(task=task, update_mask=FieldMask(paths=paths))
    await service.tasks.UpdateTask(request, metadata=ANN)


async def reminders(service: RunningTaskService) -> list[events_pb2.TaskEvent]:
    """Return the reminders that the next run creates."""
    service.published.clear()
    await service.use_cases.remind(100)
    events = [events_pb2.TaskEvent.FromString(pending.payload) for pending in service.published]
    assert all(event.type == events_pb2.TASK_EVENT_TYPE_DUE for event in events)
    return events


async def test_a_reminder_comes_once_at_the_lead_before_the_task_is_due(service: RunningTaskService) -> None:
    task = await create(service, due_in(service, hours=1))
    service.clock.move(minutes=44, seconds=59)
    assert await reminders(service) == []
    service.clock.move(seconds=1)
    (event,) = await reminders(service)
    assert event.event_id == f"{task.id}:1:due"
    assert (event.owner, event.task, event.revision) == ("ann", task, 1)
    assert event.occur_time.ToDatetime(tzinfo=service.clock.now.tzinfo) == service.clock.now
    assert len(event.request_id) >= 8
    service.clock.move(days=1)
    assert await reminders(service) == []


async def test_it_is_kept_in_the_outbox_until_it_is_confirmed(service: RunningTaskService) -> None:
    task = await create(service, due_in(service, minutes=5))
    await reminders(service)
    await service.events.ConfirmEvents(events_pb2.ConfirmEventsRequest(event_ids=[f"{task.id}:1:created"]))
    backlog = await service.store.backlog()
    assert backlog.unpublished + backlog.unconfirmed == 1
    await service.events.ConfirmEvents(events_pb2.ConfirmEventsRequest(event_ids=[f"{task.id}:1:due"]))
    backlog = await service.store.backlog()
    assert backlog.unpublished + backlog.unconfirmed == 0


async def test_a_moved_due_time_has_one_reminder_at_its_new_time(service: RunningTaskService) -> None:
    task = await create(service, due_in(service, hours=1))
    await update(service, task.id, due_in(service, hours=3), "due_time")
    service.clock.move(hours=1)
    assert await reminders(service) == []
    service.clock.move(hours=2)
    assert [event.event_id for event in await reminders(service)] == [f"{task.id}:2:due"]
    await update(service, task.id, due_in(service, hours=1), "due_time")
    service.clock.move(hours=1)
    assert [event.event_id for event in await reminders(service)] == [f"{task.id}:3:due"]


async def test_a_change_of_anything_else_neither_repeats_nor_loses_it(service: RunningTaskService) -> None:
    task = await create(service, due_in(service, hours=1))
    await update(service, task.id, task_pb2.Task(title="Buy bread"), "title")
    service.clock.move(hours=2)  # the job did not run in time
    await update(service, task.id, task_pb2.Task(title="Buy both"), "title")
    (event,) = await reminders(service)
    assert event.task.title == "Buy both"
    await update(service, task.id, task_pb2.Task(title="Buy more"), "title")
    assert await reminders(service) == []


async def test_a_task_that_is_done_deleted_or_no_longer_due_has_no_reminder(service: RunningTaskService) -> None:
    done, deleted, cleared = [await create(service, due_in(service, hours=1)) for _ in range(3)]
    await update(service, done.id, task_pb2.Task(status=DONE), "status")
    await service.tasks.DeleteTask(task_pb2.DeleteTaskRequest(id=deleted.id), metadata=ANN)
    await update(service, cleared.id, task_pb2.Task(), "due_time")
    await create(service, task_pb2.Task(title="never due"))
    service.clock.move(days=1)
    assert await reminders(service) == []


async def test_a_task_that_is_reopened_in_time_has_a_reminder_and_one_too_late_has_none(
    service: RunningTaskService,
) -> None:
    in_time, too_late, deleted = [await create(service, due_in(service, hours=1)) for _ in range(3)]
    for task in (in_time, too_late):
        await update(service, task.id, task_pb2.Task(status=DONE), "status")
    await service.tasks.DeleteTask(task_pb2.DeleteTaskRequest(id=deleted.id), metadata=ANN)
    await update(service, in_time.id, task_pb2.Task(status=TODO), "status")
    await service.tasks.UndeleteTask(task_pb2.UndeleteTaskRequest(id=deleted.id), metadata=ANN)
    service.clock.move(hours=1)
    assert {event.task.id for event in await reminders(service)} == {in_time.id, deleted.id}
    service.clock.move(hours=1)
    await update(service, too_late.id, task_pb2.Task(status=TODO), "status")
    assert await reminders(service) == []


async def test_a_reopened_task_has_no_second_reminder_for_the_same_due_time(
    service: RunningTaskService,
) -> None:
    task = await create(service, due_in(service, minutes=10))
    assert len(await reminders(service)) == 1
    for status in (DONE, TODO):
        await update(service, task.id, task_pb2.Task(status=status), "status")
    assert await reminders(service) == []


async def test_a_due_time_that_was_past_when_set_has_no_reminder(service: RunningTaskService) -> None:
    await create(service, due_in(service, hours=-1))
    assert await reminders(service) == []


async def test_a_reminder_changes_neither_revision_nor_etag_nor_update_time(service: RunningTaskService) -> None:
    task = await create(service, due_in(service, minutes=5))
    service.clock.move(minutes=1)
    assert len(await reminders(service)) == 1
    assert (await service.tasks.GetTask(task_pb2.GetTaskRequest(id=task.id), metadata=ANN)).task == task


async def test_all_tasks_that_are_due_together_get_reminders_in_batches(service: RunningTaskService) -> None:
    for _ in range(25):
        await create(service, due_in(service, hours=1))
    service.clock.move(hours=1)
    service.published.clear()
    found = [await service.use_cases.remind(10) for _ in range(4)]
    assert found == [10, 10, 5, 0]
    assert len({pending.id for pending in service.published}) == 25
