"""Tasks and events for tests of the task service."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, get_type_hints

from ulid import ULID

from task_svc.domain import Priority, Status, Task, TaskFields
from task_svc.outbox import EventId, OutboxEntry, Slot
from task_svc.repository import Creation

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
FIELDS = [field.name for field in fields(TaskFields)]
"""The fields that an owner sets. Tests iterate over them, so that they cover new fields."""
_VALUES: dict[Any, object] = {
    str: "Another",
    Status: Status.DONE,
    Priority: Priority.URGENT,
    tuple[str, ...]: ("another",),
    datetime | None: START + timedelta(days=1),
    int | None: 7,
}
_numbers = count()


def another(field: str) -> dict[str, Any]:
    """Return a field with a value that differs from its default, chosen by the field's type."""
    return {field: _VALUES[get_type_hints(TaskFields)[field]]}


def new_task(owner: str = "ann", *, at: datetime = START, **fields: object) -> Task:
    """Return a task that was created at `at`, with a new id."""
    content = replace(TaskFields(title="Buy milk"), **fields)  # type: ignore[arg-type]
    return Task(str(ULID()), owner, content, create_time=at, update_time=at)


def pending(task: Task, slot: Slot = Slot.CREATED, *, at: datetime | None = None) -> OutboxEntry:
    """Return the event of a task's last write, which is due immediately."""
    time = at or task.update_time
    return OutboxEntry(EventId(task.id, task.revision, slot), b"payload", time, next_attempt_at=time)


def creation(task: Task, request_id: str | None = None, fingerprint: bytes = b"f") -> Creation:
    """Return the argument of `TaskRepository.insert` for a new task."""
    return Creation(task, request_id or f"request-{next(_numbers)}", fingerprint, pending(task))


def written(task: Task, *, later: float = 1, **fields: object) -> Task:
    """Return the task after one more write."""
    changed = replace(task.fields, **fields)  # type: ignore[arg-type]
    time = task.update_time + timedelta(seconds=later)
    return replace(task, fields=changed, update_time=time, revision=task.revision + 1)
