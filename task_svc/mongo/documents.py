"""Converts between tasks and MongoDB documents: one document has a task, its sort keys, and its outbox.

The document has a sort key for each order: the order's value and the task's id in one string. A page is therefore a
range of one field. Fields that are not set are null; empty slots of the outbox are missing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from chassis.errors import Unavailable
from task_svc.domain import Task
from task_svc.outbox import EventId, OutboxEntry, Slot
from task_svc.repository import (
    Creation,
    Cursor,
    Order,
    SortKey,
    from_microseconds,
    from_stored,
    microseconds,
    searchable,
    to_stored,
)

Document = dict[str, Any]

SCHEMA_VERSION = 1
"""Increase it for a change that older releases cannot read. They can read a new field with a default."""
READABLE: Document = {"schema_version": {"$in": [None, *range(1, SCHEMA_VERSION + 1)]}}
"""Matches documents that this release can read; null also matches a missing version."""

ORDER_FIELDS = ("by_create_time", "by_update_time", "by_due_rising", "by_due_falling", "by_priority")

_DIGITS = 19  # the digits of NEVER_DUE, the largest value of any order


def order_field(order: Order) -> str:
    """Return the name of the field with an order's sort key."""
    if order.key is SortKey.DUE_TIME:
        return "by_due_falling" if order.descending else "by_due_rising"
    return f"by_{order.key}"


def order_key(position: Cursor) -> str:
    """Return the sort key of a position, which sorts by value, then by id. The smallest value is -1."""
    return f"{position.value + 1:0{_DIGITS}}{position.id}"


def cursor_of(key: str) -> Cursor:
    """Return the position of a sort key."""
    return Cursor(int(key[:_DIGITS]) - 1, key[_DIGITS:])


def to_document(creation: Creation) -> Document:
    """Return the document of a new task."""
    task, event = creation.task, creation.event
    return {
        "_id": task.id,
        "request_id": creation.request_id,
        "fingerprint": creation.fingerprint,
        "outbox": {event.id.slot.value: to_slot(event)},
        **task_fields(task),
    }


def task_fields(task: Task) -> Document:
    """Return the fields that a write of a task sets."""
    values = to_stored(task)
    del values["id"]
    return {
        **values,
        "schema_version": SCHEMA_VERSION,
        "deleted": task.delete_time is not None,
        "search_text": searchable(task.fields),
        **dict(_order_keys(task)),
    }


def to_task(document: Mapping[str, Any]) -> Task:
    """Return the task in a document. A missing version means version 1.

    Raises Unavailable for a newer version. During an update, replicas of a newer release may write such documents.
    """
    version = document.get("schema_version", 1)
    if version > SCHEMA_VERSION:
        msg = f"A newer release stored the task (schema version {version}; this release reads up to {SCHEMA_VERSION})."
        raise Unavailable("STORE_NEWER", msg)
    return from_stored({**document, "id": document["_id"]})


def reminder_fields(task: Task) -> Document:
    """Return the reminder fields of a task. A reminder changes them but not the revision."""
    values = to_stored(task)
    return {name: values[name] for name in ("to_remind_of", "reminded_of")}


def to_slot(event: OutboxEntry) -> Document:
    """Return the contents of a slot for an event; `unpublished_since` is present only until the event is published."""
    slot = {
        "revision": event.id.revision,
        "payload": event.payload,
        "occur_time": microseconds(event.occur_time),
        "look_at": microseconds(event.next_attempt_at),
        "entry_id": event.entry_id,
        "looks": event.attempts,
    }
    if event.entry_id is None:
        slot["unpublished_since"] = slot["occur_time"]
    return slot


def to_pending(task_id: str, name: Slot, slot: Mapping[str, Any]) -> OutboxEntry:
    """Return the event in a slot of a task's document."""
    return OutboxEntry(
        id=EventId(task_id, slot["revision"], name),
        payload=slot["payload"],
        occur_time=from_microseconds(slot["occur_time"]),
        next_attempt_at=from_microseconds(slot["look_at"]),
        entry_id=slot["entry_id"],
        attempts=slot["looks"],
    )


def _order_keys(task: Task) -> Iterator[tuple[str, str]]:
    for key in SortKey:
        for descending in (False, True):
            order = Order(key, descending)
            yield order_field(order), order_key(Cursor(order.value(task), task.id))
