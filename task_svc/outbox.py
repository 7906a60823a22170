"""The outbox: what happened to a task and is still to be told, kept in the same record as the task.

A task has three slots, so its outbox cannot grow. `created` and `due` are kept until the event is confirmed; `changed`
holds the newest state only, and only until it is published. A slot is cleared only by the id of the event in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Protocol

from task_svc.domain import Task


class Slot(StrEnum):
    """A place for one event of a task."""

    CREATED = "created"
    CHANGED = "changed"
    DUE = "due"


class EventType(IntEnum):
    """What happened to a task."""

    CREATED = 1
    UPDATED = 2
    DELETED = 3
    DUE = 4


SLOTS = {
    EventType.CREATED: Slot.CREATED,
    EventType.UPDATED: Slot.CHANGED,
    EventType.DELETED: Slot.CHANGED,
    EventType.DUE: Slot.DUE,
}
KEPT_UNTIL_CONFIRMED = frozenset({Slot.CREATED, Slot.DUE})


@dataclass(frozen=True, slots=True)
class EventId:
    """An event's id, `<task id>:<revision>:<slot>` when written."""

    task_id: str
    revision: int
    slot: Slot

    def __str__(self) -> str:
        return f"{self.task_id}:{self.revision}:{self.slot}"

    @classmethod
    def parse(cls, text: str) -> "EventId | None":
        """Reads an id, or gives None for a text that is none."""
        task_id, _, rest = text.partition(":")
        revision, _, slot = rest.partition(":")
        if not revision.isascii() or not revision.isdigit() or len(revision) > 18 or slot not in set(Slot):
            return None
        return cls(task_id, int(revision), Slot(slot))


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a task, with the task right after it and the request that caused it."""

    type: EventType
    task: Task
    occur_time: datetime
    request_id: str
    traceparent: str

    @property
    def id(self) -> EventId:
        """The event's id."""
        return EventId(self.task.id, self.task.revision, SLOTS[self.type])


@dataclass(frozen=True, slots=True)
class Pending:
    """An event in its slot.

    `payload` is the event as it travels; `entry_id` its entry in the stream, None until it is published; the relay
    has nothing to do with it before `look_at`, and has looked at it `looks` times.
    """

    id: EventId
    payload: bytes
    occur_time: datetime
    look_at: datetime
    entry_id: str | None = None
    looks: int = 0


@dataclass(frozen=True, slots=True)
class Looked:
    """That the relay has looked at an event: its entry in the stream, and when to look again."""

    id: EventId
    entry_id: str
    look_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much the outbox holds: events not published, events published and not confirmed, the oldest of the first."""

    unpublished: int
    unconfirmed: int
    oldest_unpublished: datetime | None


class OutboxStore(Protocol):
    """What the relay needs of a store. All methods raise Unavailable while the store is away."""

    async def pending(self, now: datetime, limit: int) -> Sequence[Pending]:
        """Events whose `look_at` has come, the most overdue first."""

    async def looked(self, marks: Sequence[Looked]) -> None:
        """Notes what the relay did; clears the slots that are kept until published only."""

    async def confirmed(self, ids: Sequence[EventId]) -> int:
        """Clears the slots that hold these events, passes over the others, and tells how many it cleared."""

    async def backlog(self) -> Backlog:
        """Counts what is waiting."""
