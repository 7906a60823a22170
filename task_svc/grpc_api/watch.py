"""Converts entries of the stream `task-events` to feed items, and feed items to the responses of the watch RPCs.

`chassis.feed.stream_tail` reads the stream and calls `item_of`; the servicers send the responses.
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
    """Return the event in a stream entry; None for a reminder, an invalid event, or a newer schema version.

    The notification service dead-letters events that are invalid or have a newer schema version.
    """
    data = fields.get(b"event", b"")
    if len(data) > _MESSAGE_BYTES_MAX:
        return None
    try:
        event = Event.FromString(data)
    except DecodeError:
        return None
    if event.type not in _CHANGES or event.schema_version > SCHEMA_VERSION or not _is_valid(event):
        return None
    return Item(position, event.owner, event.occur_time.ToNanoseconds() / 1e9, len(data), event)


def task_responses(batch: Batch[Event]) -> Iterator[task_pb2.WatchTasksResponse]:
    """Yield the responses for one user: one per event, or a single heartbeat or reset."""
    for item in batch.items:
        yield task_pb2.WatchTasksResponse(resume_token=token_of(item.position), change=_change(item.value))
    if not batch.items:
        yield task_pb2.WatchTasksResponse(resume_token=token_of(batch.position), reset=batch.is_reset)


def event_responses(batch: Batch[Event]) -> Iterator[events_pb2.WatchTaskEventsResponse]:
    """Yield the responses for the mesh, each with many events and at most 1 MiB of them."""
    for piece in batch.pieces(_MESSAGE_BYTES_MAX):
        yield events_pb2.WatchTaskEventsResponse(
            resume_token=token_of(piece.position),
            events=[
                events_pb2.WatchedTaskEvent(resume_token=token_of(item.position), event=item.value)
                for item in piece.items
            ],
            reset=piece.is_reset,
        )


def _is_valid(event: Event) -> bool:
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
