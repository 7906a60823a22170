"""Decodes a stream entry to a notification, and rejects invalid entries. Called by `event_handler`.

The stream is untrusted input: each field is validated before it is used.
"""

import re
from collections.abc import Mapping

from google.protobuf.message import DecodeError
from task.v1 import events_pb2

from chassis import identity
from notify_svc.domain import TITLE_MAX, Kind, Notification, Reason

SCHEMA_VERSION = 1
EVENT_BYTES_MAX = 1024 * 1024
_SLOTS: dict[int, tuple[str, Kind | None]] = {
    events_pb2.TASK_EVENT_TYPE_CREATED: ("created", Kind.TASK_CREATED),
    events_pb2.TASK_EVENT_TYPE_UPDATED: ("changed", None),
    events_pb2.TASK_EVENT_TYPE_DELETED: ("changed", None),
    events_pb2.TASK_EVENT_TYPE_DUE: ("due", Kind.TASK_DUE),
}
_SLOT = "|".join({slot for slot, _ in _SLOTS.values()})
_EVENT_ID = re.compile(rf"(?P<task>[0-9A-HJKMNP-TV-Z]{{26}}):[1-9][0-9]{{0,18}}:(?P<slot>{_SLOT})")


class InvalidEvent(Exception):
    """A stream entry that is invalid, so that retrying does not help."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def is_event_id(text: str) -> bool:
    """Return whether `text` has the form `<task id>:<revision>:<slot>`."""
    return _EVENT_ID.fullmatch(text) is not None


def readable_id(fields: Mapping[bytes, bytes]) -> str:
    """Return the event id in the entry's field `id`, or an empty string if it is not a valid event id."""
    text = fields.get(b"id", b"")[:128].decode(errors="replace")
    return text if is_event_id(text) else ""


def decode(fields: Mapping[bytes, bytes]) -> Notification | None:
    """Return the notification of an entry, or None for an event without one. Raises InvalidEvent."""
    event = _parsed(fields)
    slot, kind = _SLOTS[event.type]
    _check_id(event, slot, fields[b"id"])
    _check_fields(event)
    if kind is None:
        return None
    return Notification(
        id=event.event_id,
        kind=kind,
        owner=event.owner,
        task_id=event.task.id,
        title=event.task.title,
        create_time_ms=event.occur_time.ToMilliseconds(),
        due_time_ms=event.task.due_time.ToMilliseconds() if event.task.HasField("due_time") else None,
        request_id=event.request_id[:64],
        traceparent=event.traceparent[:55],
    )


def _parsed(fields: Mapping[bytes, bytes]) -> events_pb2.TaskEvent:
    for name in (b"id", b"event"):
        if not fields.get(name):
            raise InvalidEvent(Reason.MISSING_FIELD, f"the entry has no field {name.decode()}")
    if len(fields[b"event"]) > EVENT_BYTES_MAX:
        raise InvalidEvent(Reason.TOO_LARGE, f"the event has {len(fields[b'event'])} bytes; at most {EVENT_BYTES_MAX}")
    try:
        event = events_pb2.TaskEvent.FromString(fields[b"event"])
    except DecodeError as error:
        raise InvalidEvent(Reason.MALFORMED, f"not a TaskEvent: {error}") from None
    if event.schema_version > SCHEMA_VERSION:
        detail = f"schema_version {event.schema_version} is not supported; replay the event after an update"
        raise InvalidEvent(Reason.UNKNOWN_VERSION, detail)
    if event.type not in _SLOTS:
        raise InvalidEvent(Reason.UNKNOWN_TYPE, f"event type {event.type} is unknown")
    return event


def _check_id(event: events_pb2.TaskEvent, slot: str, id_field: bytes) -> None:
    if event.event_id.encode() != id_field:
        raise InvalidEvent(Reason.ID_MISMATCH, "the entry's field id differs from the event's id")
    match = _EVENT_ID.fullmatch(event.event_id)
    if match is None or match["slot"] != slot:
        raise InvalidEvent(Reason.ID_MISMATCH, f"the event's id is not valid for the slot {slot}")
    if event.task.id and event.task.id != match["task"]:
        raise InvalidEvent(Reason.ID_MISMATCH, "the event's id contains the id of another task")


def _check_fields(event: events_pb2.TaskEvent) -> None:
    if event.schema_version < 1 or not event.HasField("occur_time") or not event.task.id:
        raise InvalidEvent(Reason.MISSING_FIELD, "schema_version, occur_time or task is missing")
    if not event.owner or not event.task.title.strip():
        raise InvalidEvent(Reason.MISSING_FIELD, "owner or title is missing")
    if not identity.is_username(event.owner) or len(event.task.title) > TITLE_MAX:
        raise InvalidEvent(Reason.MALFORMED, "owner or title is invalid")
    if not all(0 <= time.seconds < 253_402_300_800 for time in (event.occur_time, event.task.due_time)):
        raise InvalidEvent(Reason.MALFORMED, "occur_time or due_time is not in the years 1970 to 9999")
