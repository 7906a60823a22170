"""Between tasks and documents of the MongoDB store: one document holds a task, what it is listed by, and its outbox.

Each order has a key of its own in the document, the order's value and the id in one text that sorts as both do: so a
page is a range of one field. What is not set is null; a slot of the outbox that is empty is not there at all.
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
"""Increase it when an older release can no longer read a document; it can if a field with a default is added."""
READABLE: Document = {"schema_version": {"$in": [None, *range(1, SCHEMA_VERSION + 1)]}}
"""The condition that this release can read a document; null stands for a missing version too."""

ORDER_FIELDS = ("by_create_time", "by_update_time", "by_due_rising", "by_due_falling", "by_priority")

_DIGITS = 19  # of NEVER_DUE, the largest value of any order


def order_field(order: Order) -> str:
    """The field that holds an order's keys."""
    if order.key is SortKey.DUE_TIME:
        return "by_due_falling" if order.descending else "by_due_rising"
    return f"by_{order.key}"


def order_key(position: Cursor) -> str:
    """A position as a text that sorts by value, then by id. Values begin at -1."""
    return f"{position.value + 1:0{_DIGITS}}{position.id}"


def cursor_of(key: str) -> Cursor:
    """The position that a key stands for."""
    return Cursor(int(key[:_DIGITS]) - 1, key[_DIGITS:])


def to_document(creation: Creation) -> Document:
    """The whole document of a new task."""
    task, event = creation.task, creation.event
    return {
        "_id": task.id,
        "request_id": creation.request_id,
        "fingerprint": creation.fingerprint,
        "outbox": {event.id.slot.value: to_slot(event)},
        **task_fields(task),
    }


def task_fields(task: Task) -> Document:
    """The fields of a task that a write sets."""
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
    """A document as a task. A document without a version has version 1.

    Raises Unavailable for a version that only a newer release can read, which other replicas may be during an update.
    """
    version = document.get("schema_version", 1)
    if version > SCHEMA_VERSION:
        msg = f"The task was stored by a newer release (schema version {version}; this one reads {SCHEMA_VERSION})."
        raise Unavailable("STORE_NEWER", msg)
    return from_stored({**document, "id": document["_id"]})


def reminder_fields(task: Task) -> Document:
    """What is known of a task's reminders; a reminder changes these, and not the revision."""
    values = to_stored(task)
    return {name: values[name] for name in ("to_remind_of", "reminded_of")}


def to_slot(event: OutboxEntry) -> Document:
    """An event as it lies in its slot; `unpublished_since` is there only until it is published."""
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
    """The event in a slot of a task's document."""
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
