"""Serialize events as server-sent events: a name, and the same JSON as in REST responses.

The id of an event differs between watchers, so the writer adds it in front.
"""

from collections.abc import Callable

from fastapi.sse import format_sse_event
from notify.v1 import notify_pb2
from task.v1 import events_pb2

from edge_api.schemas import convert
from edge_api.schemas.responses import ANY

_NAMES: dict[int, str] = {
    events_pb2.TASK_EVENT_TYPE_CREATED: "task.created",
    events_pb2.TASK_EVENT_TYPE_UPDATED: "task.updated",
    events_pb2.TASK_EVENT_TYPE_DELETED: "task.deleted",
}
NOTIFICATION = "notification"

RESET = format_sse_event(event="reset", data_str="{}")
"""The event that makes a client load everything again."""


class Frame:
    """One event without its id; serialized for the first watcher, then cached for the others."""

    __slots__ = ("_text", "_write")

    def __init__(self, write: Callable[[], bytes]) -> None:
        self._write: Callable[[], bytes] | None = write
        self._text = b""

    def text(self) -> bytes:
        """Return the lines of the event, including the empty line at its end."""
        if self._write is not None:
            self._text, self._write = self._write(), None
        return self._text


def of_task(event: events_pb2.TaskEvent) -> Frame:
    """Return the frame of a task event. A type from a newer task service becomes `task.updated`."""
    name = _NAMES.get(event.type, _NAMES[events_pb2.TASK_EVENT_TYPE_UPDATED])
    return Frame(lambda: _written(name, convert.task_answer(event.task)))


def of_notification(notification: notify_pb2.Notification) -> Frame:
    """Return the frame of a new notification."""
    return Frame(lambda: _written(NOTIFICATION, convert.notification_answer(notification)))


def retry(retry_ms: int) -> bytes:
    """Return the field that sets the client's delay before it reconnects, in milliseconds."""
    return format_sse_event(retry=retry_ms)


def heartbeat(event_id: str) -> bytes:
    """Return a comment for an idle stream. It has no event, but updates the client's last event id."""
    return format_sse_event(id=event_id, comment="heartbeat")


def _written(name: str, data: convert.JsonObject) -> bytes:
    # ASCII, so that user text cannot start a new line, even in a client that treats U+2028 as a line break.
    return format_sse_event(event=name, data_str=ANY.dump_json(data, ensure_ascii=True).decode())
