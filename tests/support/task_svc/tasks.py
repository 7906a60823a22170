"""Tasks and events for tests of the task service."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from ulid import ULID

from task_svc.domain import Task, TaskFields
from task_svc.outbox import EventId, OutboxEntry, Slot
from task_svc.repository import Creation

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
_numbers = count()


def new_task(owner: str = "ann", *, at: datetime = START, **fields: object) -> Task:
    """A task that was created at `at`; every call makes another id."""
    about = replace(TaskFields(title="Buy milk"), **fields)  # type: ignore[arg-type]
    return Task(str(ULID()), owner, about, create_time=at, update_time=at)


def pending(task: Task, slot: Slot = Slot.CREATED, *, at: datetime | None = None) -> OutboxEntry:
    """The event of a task's last write, to be looked at right away."""
    time = at or task.update_time
    return OutboxEntry(EventId(task.id, task.revision, slot), b"payload", time, next_attempt_at=time)


def creation(task: Task, request_id: str | None = None, fingerprint: bytes = b"f") -> Creation:
    """What a store is given for a new task."""
    return Creation(task, request_id or f"request-{next(_numbers)}", fingerprint, pending(task))


def written(task: Task, *, later: float = 1, **fields: object) -> Task:
    """The task after one more write."""
    changed = replace(task.fields, **fields)  # type: ignore[arg-type]
    time = task.update_time + timedelta(seconds=later)
    return replace(task, fields=changed, update_time=time, revision=task.revision + 1)
