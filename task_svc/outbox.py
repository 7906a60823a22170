"""The outbox: events that are not published or not confirmed yet, stored in the same record as their task.

A task has three slots, so its outbox cannot grow. `created` and `due` keep an event until it is confirmed; `changed`
keeps only the newest event, until it is published. A slot is cleared only by the id of the event in it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Protocol

from task_svc.domain import Task

Clock = Callable[[], datetime]
"""Returns the current time in UTC."""


class Slot(StrEnum):
    """A place for one event of a task."""

    CREATED = "created"
    CHANGED = "changed"
    DUE = "due"


class EventType(IntEnum):
    """The kind of change that an event reports."""

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
    """The id of an event, written as `<task id>:<revision>:<slot>`."""

    task_id: str
    revision: int
    slot: Slot

    def __str__(self) -> str:
        return f"{self.task_id}:{self.revision}:{self.slot}"

    @classmethod
    def parse(cls, text: str) -> "EventId | None":
        """Parse an id; return None for invalid text."""
        task_id, _, rest = text.partition(":")
        revision, _, slot = rest.partition(":")
        if not revision.isascii() or not revision.isdigit() or len(revision) > 18 or slot not in set(Slot):
            return None
        return cls(task_id, int(revision), Slot(slot))


@dataclass(frozen=True, slots=True)
class Event:
    """A change of a task: the task after the change, and the request that caused it."""

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
class OutboxEntry:
    """An event in one of the three slots of its task's outbox.

    `payload` is the serialized event. `entry_id` is the id of its stream entry, None until it is published. The relay
    has handled it `attempts` times, and handles it again at `next_attempt_at`.
    """

    id: EventId
    payload: bytes
    occur_time: datetime
    next_attempt_at: datetime
    entry_id: str | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class PublishMark:
    """The result of publishing an event: its stream entry, and when to check for its confirmation."""

    id: EventId
    entry_id: str
    next_attempt_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """The number of unpublished and of unconfirmed events, and the time of the oldest unpublished one."""

    unpublished: int
    unconfirmed: int
    oldest_unpublished: datetime | None


class OutboxStore(Protocol):
    """The port that the relay uses. All methods raise Unavailable while the store is unavailable."""

    async def pending(self, now: datetime, limit: int) -> Sequence[OutboxEntry]:
        """Return events whose `next_attempt_at` is not after `now`, the most overdue first."""

    async def mark_published(self, marks: Sequence[PublishMark]) -> None:
        """Store the marks, and clear the slots that keep an event only until it is published."""

    async def confirmed(self, ids: Sequence[EventId]) -> int:
        """Clear the slots that hold these events; return the number of cleared slots."""

    async def backlog(self) -> Backlog:
        """Return the size of the outbox."""
