"""A SQLite store with events that are not published yet."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from task_svc import convert, domain
from task_svc.domain import TaskFields
from task_svc.outbox import Event, EventType, OutboxEntry
from task_svc.repository import Creation
from task_svc.sqlite.store import open_store
from tests.support.task_svc.tasks import new_task

_AT_ONCE = 2_000


def _creation(number: int, owner: str) -> Creation:
    time = datetime.now(UTC)  # an inbox drops notifications older than 30 days
    task = domain.create(new_task().id, owner, TaskFields(title=f"Task {number}"), time)
    event = Event(EventType.CREATED, task, time, "request-0001", "")
    pending = OutboxEntry(event.id, convert.event_to_bytes(event), time, next_attempt_at=time)
    return Creation(task, f"key-{number}", b"", pending)


async def fill(path: Path, events: int, users: int) -> None:
    """Create a task for each event in the store at `path`, which no other process may have open."""
    async with open_store(path) as store:
        for first in range(0, events, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, events))
            await asyncio.gather(*(store.insert(_creation(number, f"user-{number % users}")) for number in numbers))
