"""The domain: notifications, dead letters and their limits. It depends on no queue and no protocol.

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
    """Return the current time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Kind(Enum):
    """The kind of a notification."""

    TASK_CREATED = "task_created"
    TASK_DUE = "task_due"

    @property
    def verb(self) -> str:
        """The change of the task in one word, such as "created"."""
        return self.value.removeprefix("task_")


class Outcome(Enum):
    """The state of a delivery on one channel."""

    PENDING = "pending"
    DELIVERED = "delivered"
    GAVE_UP = "gave_up"


class Reason(Enum):
    """The reason of a dead letter."""

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
    """The delivery of a notification on one channel; `time_ms` is the time of the last attempt."""

    channel: str
    outcome: Outcome
    attempts: int
    time_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification of a user; `id` is the id of its event."""

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
        """Return one line of text; the title is quoted, with line breaks and quotes escaped."""
        title = json.dumps(self.title, ensure_ascii=False)
        return f"{self.owner}: task {self.kind.verb} {title} ({self.task_id})"


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a listing: directly after the entry with this time and id."""

    time_ms: int
    id: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event or a delivery that could not be processed.

    `key` is the id of the stream entry, followed by `/<channel>` for a delivery. A replay needs, for an event, the
    entry's original fields `id` and `event`; for a delivery, the notification.
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
    """A dead letter as operators see it. Fields that are not stored, for example by an older release, are empty."""

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
    """The pause before the next attempt: doubled for each attempt, up to `longest_ms`, and multiplied by `jitter`.

    A receiver may request a longer pause, up to `longest_ms`.
    """

    first_ms: int
    longest_ms: int
    jitter: Jitter

    def pause_ms(self, attempts: int, retry_after_seconds: float | None = None) -> int:
        """Return the pause after this number of failed attempts; `retry_after_seconds` is the receiver's request."""
        pause = backoff(attempts, self.first_ms, self.longest_ms)
        requested = min(1000 * (retry_after_seconds or 0), self.longest_ms)
        return int(max(pause * self.jitter(), requested))
