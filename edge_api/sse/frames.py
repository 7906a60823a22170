"""Events as server-sent events write them: a name, and the same JSON as REST answers with.

The id of an event differs from watcher to watcher, so it is put in front of the rest.
"""

from collections.abc import Callable

from fastapi.sse import format_sse_event
from notify.v1 import notify_pb2
from pydantic import BaseModel
from task.v1 import events_pb2

from edge_api.schemas import convert

_NAMES: dict[int, str] = {
    events_pb2.TASK_EVENT_TYPE_CREATED: "task.created",
    events_pb2.TASK_EVENT_TYPE_UPDATED: "task.updated",
    events_pb2.TASK_EVENT_TYPE_DELETED: "task.deleted",
}
NOTIFICATION = "notification"

RESET = format_sse_event(event="reset", data_str="{}")
"""Tells a watcher to load everything again."""


class Frame:
    """One event without its id; written when its first watcher needs it, then kept for the others."""

    __slots__ = ("_text", "_write")

    def __init__(self, write: Callable[[], bytes]) -> None:
        self._write: Callable[[], bytes] | None = write
        self._text = b""

    def text(self) -> bytes:
        """The lines of the event, and the empty one that ends it."""
        if self._write is not None:
            self._text, self._write = self._write(), None
        return self._text


def of_task(event: events_pb2.TaskEvent) -> Frame:
    """The frame of what happened to a task; a type that only a newer task service knows is shown as a change."""
    name = _NAMES.get(event.type, _NAMES[events_pb2.TASK_EVENT_TYPE_UPDATED])
    return Frame(lambda: _written(name, convert.task_answer(event.task)))


def of_notification(notification: notify_pb2.Notification) -> Frame:
    """The frame of a new notification."""
    return Frame(lambda: _written(NOTIFICATION, convert.notification_answer(notification)))


def retry(retry_ms: int) -> bytes:
    """Tells a client after how long it is to come back when the stream has ended."""
    return format_sse_event(retry=retry_ms)


def heartbeat(event_id: str) -> bytes:
    """What a quiet stream sends: it has no event, but moves the watcher's id on."""
    return format_sse_event(id=event_id, comment="heartbeat")


def _written(name: str, data: BaseModel) -> bytes:
    # In ASCII nothing that a user wrote can begin a line, not even for a client that takes U+2028 for the end of one.
    return format_sse_event(event=name, data_str=data.model_dump_json(ensure_ascii=True))
