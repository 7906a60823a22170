"""Between tasks and rows of the SQLite store."""

import json
import sqlite3
from datetime import datetime
from typing import Any

from task_svc.domain import Priority, Status, Task, TaskFields
from task_svc.outbox import EventId, OutboxEntry, Slot
from task_svc.repository import Order, SortKey, from_microseconds, microseconds, searchable

TASK_COLUMNS = (
    "id, owner, title, description, status, priority, labels, due_time, create_time, update_time, complete_time, "
    "delete_time, revision, to_remind_of, reminded_of"
)
PENDING_COLUMNS = "task_id, slot, revision, payload, occur_time, look_at, entry_id, looks"

_RISING = Order(SortKey.DUE_TIME, descending=False)
_FALLING = Order(SortKey.DUE_TIME, descending=True)


def order_column(order: Order) -> str:
    """The column that holds an order's value."""
    if order.key is SortKey.DUE_TIME:
        return "due_falling" if order.descending else "due_rising"
    return order.key.value


def task_values(task: Task) -> dict[str, Any]:
    """The columns of a task that a write sets."""
    fields = task.fields
    return {
        "id": task.id,
        "owner": task.owner,
        "title": fields.title,
        "description": fields.description,
        "status": int(fields.status),
        "priority": int(fields.priority),
        "labels": json.dumps(fields.labels, ensure_ascii=False),
        "due_time": _optional(fields.due_time),
        "create_time": microseconds(task.create_time),
        "update_time": microseconds(task.update_time),
        "complete_time": _optional(task.complete_time),
        "delete_time": _optional(task.delete_time),
        "revision": task.revision,
        "to_remind_of": _optional(task.to_remind_of),
        "reminded_of": _optional(task.reminded_of),
        "deleted": int(task.delete_time is not None),
        "due_rising": _RISING.value(task),
        "due_falling": _FALLING.value(task),
        "search_text": searchable(task.fields),
    }


def to_task(row: sqlite3.Row) -> Task:
    """A row of TASK_COLUMNS as a task."""
    fields = TaskFields(
        title=row["title"],
        description=row["description"],
        status=Status(row["status"]),
        priority=Priority(row["priority"]),
        labels=tuple(json.loads(row["labels"])),
        due_time=_time(row["due_time"]),
    )
    return Task(
        id=row["id"],
        owner=row["owner"],
        fields=fields,
        create_time=from_microseconds(row["create_time"]),
        update_time=from_microseconds(row["update_time"]),
        complete_time=_time(row["complete_time"]),
        delete_time=_time(row["delete_time"]),
        revision=row["revision"],
        to_remind_of=_time(row["to_remind_of"]),
        reminded_of=_time(row["reminded_of"]),
    )


def to_pending(row: sqlite3.Row) -> OutboxEntry:
    """A row of PENDING_COLUMNS as an event in its slot."""
    return OutboxEntry(
        id=EventId(row["task_id"], row["revision"], Slot(row["slot"])),
        payload=row["payload"],
        occur_time=from_microseconds(row["occur_time"]),
        next_attempt_at=from_microseconds(row["look_at"]),
        entry_id=row["entry_id"],
        attempts=row["looks"],
    )


def _optional(time: datetime | None) -> int | None:
    return None if time is None else microseconds(time)


def _time(value: int | None) -> datetime | None:
    return None if value is None else from_microseconds(value)
