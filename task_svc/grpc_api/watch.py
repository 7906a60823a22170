"""What may be watched of the stream `task-events`, and the messages in which it is told.

Between `chassis.feed.stream_tail`, which reads the stream, and the servicers, whose callers watch the feed.
"""

from collections.abc import Iterator

from google.protobuf.message import DecodeError
from task.v1 import events_pb2, task_pb2

from chassis.feed.stream_id import StreamId, token_of
from chassis.feed.stream_tail import Fields
from chassis.feed.watcher import Batch, Item
from chassis.identity import is_username
from task_svc.convert import SCHEMA_VERSION
from task_svc.domain import Priority, Status

Event = events_pb2.TaskEvent

_MESSAGE_BYTES_MAX = 1024 * 1024
_YEAR_10000 = 253_402_300_800
_STATUSES, _PRIORITIES = frozenset[int](Status), frozenset[int](Priority)
_CHANGES = {
    events_pb2.TASK_EVENT_TYPE_CREATED: task_pb2.TASK_CHANGE_TYPE_CREATED,
    events_pb2.TASK_EVENT_TYPE_UPDATED: task_pb2.TASK_CHANGE_TYPE_UPDATED,
    events_pb2.TASK_EVENT_TYPE_DELETED: task_pb2.TASK_CHANGE_TYPE_DELETED,
}


def item_of(position: StreamId, fields: Fields) -> Item[Event] | None:
    """The event in a stream entry; None where nothing happened to the task itself, or where it is none of ours.

    An invalid event is dead-lettered by the notification service; here it is skipped.
    """
    data = fields.get(b"event", b"")
    if len(data) > _MESSAGE_BYTES_MAX:
        return None
    try:
        event = Event.FromString(data)
    except DecodeError:
        return None
    if event.type not in _CHANGES or event.schema_version > SCHEMA_VERSION or not _is_whole(event):
        return None
    return Item(position, event.owner, event.occur_time.ToNanoseconds() / 1e9, len(data), event)


def task_responses(batch: Batch[Event]) -> Iterator[task_pb2.WatchTasksResponse]:
    """The messages for one user: one for each event, or one heartbeat or reset."""
    for item in batch.items:
        yield task_pb2.WatchTasksResponse(resume_token=token_of(item.position), change=_change(item.value))
    if not batch.items:
        yield task_pb2.WatchTasksResponse(resume_token=token_of(batch.position), reset=batch.is_reset)


def event_responses(batch: Batch[Event]) -> Iterator[events_pb2.WatchTaskEventsResponse]:
    """The messages for the mesh: many events in each, as far as it becomes no larger than a megabyte."""
    for piece in batch.pieces(_MESSAGE_BYTES_MAX):
        yield events_pb2.WatchTaskEventsResponse(
            resume_token=token_of(piece.position),
            events=[
                events_pb2.WatchedTaskEvent(resume_token=token_of(item.position), event=item.value)
                for item in piece.items
            ],
            reset=piece.is_reset,
        )


def _is_whole(event: Event) -> bool:
    task = event.task
    times = (task.due_time, task.create_time, task.update_time, task.complete_time, task.delete_time, event.occur_time)
    return (
        is_username(event.owner)
        and task.status in _STATUSES
        and task.priority in _PRIORITIES
        and all(0 <= time.seconds < _YEAR_10000 and 0 <= time.nanos < 1_000_000_000 for time in times)
    )


def _change(event: Event) -> task_pb2.TaskChange:
    return task_pb2.TaskChange(
        type=_CHANGES[event.type], task=event.task, occur_time=event.occur_time, request_id=event.request_id
    )
