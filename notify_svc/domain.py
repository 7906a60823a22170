"""What a notification and a dead letter are, and the limits of both; knows no queue, no protocol.

All times are milliseconds since 1970 in UTC.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from chassis.background_jobs import backoff

DAY_MS = 24 * 60 * 60 * 1000
INBOX_LIMIT = 1000
KEEP_MS = 30 * DAY_MS
PAGE_SIZE_DEFAULT = 50
PAGE_SIZE_MAX = 200
MARK_IDS_MAX = 1000
TITLE_MAX = 200
DEAD_LETTERS_LIMIT = 10_000
DEAD_LETTER_EVENT_BYTES_MAX = 64 * 1024
DEAD_LETTER_DETAIL_MAX = 1000
DEAD_LETTER_KEYS_MAX = 1000

NowMs = Callable[[], int]
Jitter = Callable[[], float]


def now_ms() -> int:
    """The current time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Kind(Enum):
    """What a notification tells."""

    TASK_CREATED = "task_created"
    TASK_DUE = "task_due"

    @property
    def verb(self) -> str:
        """What happened to the task, in a word."""
        return self.value.removeprefix("task_")


class Outcome(Enum):
    """How a delivery over one channel stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    GAVE_UP = "gave_up"


class Reason(Enum):
    """Why something is among the dead letters."""

    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    MISSING_FIELD = "missing_field"
    ID_MISMATCH = "id_mismatch"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_VERSION = "unknown_version"
    MAX_DELIVERIES_EXCEEDED = "worn_out"
    GAVE_UP = "gave_up"
    CHANNEL_REMOVED = "channel_removed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a notification fares on one channel; `time_ms` is that of the last attempt."""

    channel: str
    outcome: Outcome
    attempts: int
    time_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """Something a user is told; `id` is the id of the event behind it."""

    id: str
    kind: Kind
    owner: str
    task_id: str
    title: str
    create_time_ms: int
    due_time_ms: int | None = None
    request_id: str = ""
    traceparent: str = ""
    read_time_ms: int | None = None
    deliveries: tuple[Delivery, ...] = ()

    def __str__(self) -> str:
        """One line for people; the title is quoted, its line breaks and quotes escaped."""
        title = json.dumps(self.title, ensure_ascii=False)
        return f"{self.owner}: task {self.kind.verb} {title} ({self.task_id})"


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a listing: right behind the entry with this time and id."""

    time_ms: int
    id: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Something that could not be handled: `key` is the stream entry's id, with `/<channel>` where one gave up.

    What it takes to handle it again is the entry's fields `id` and `event` as they came or, where a channel gave up,
    the notification.
    """

    key: str
    event_id: str
    reason: Reason
    detail: str
    attempts: int
    id_field: bytes = b""
    event: bytes = b""
    channel: str = ""
    notification: Notification | None = None


@dataclass(frozen=True, slots=True)
class StoredDeadLetter:
    """A dead letter as operators see it, whichever release has put it down: what it lacks is empty."""

    key: str
    time_ms: int
    event_id: str
    reason: str
    detail: str
    attempts: int
    channel: str
    event: bytes


@dataclass(frozen=True, slots=True)
class Backoff:
    """The pause before the next attempt: doubled each time, then spread by `jitter`.

    A receiver may ask for a longer one, but `longest_ms` bounds both.
    """

    first_ms: int
    longest_ms: int
    jitter: Jitter

    def pause_ms(self, attempts: int, asked_seconds: float | None = None) -> int:
        """The pause after so many failed attempts, the last of which was answered with this wish."""
        pause = backoff(attempts, self.first_ms, self.longest_ms)
        asked = min(1000 * (asked_seconds or 0), self.longest_ms)
        return int(max(pause * self.jitter(), asked))
