"""What users see of their notifications, and their marks; written by `ledger`, asked by `servicer`."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from redis.exceptions import RedisError

from chassis import deadline
from chassis.errors import DeadlineExceeded, Unavailable
from notify_svc import store
from notify_svc.convert import notification_from_json
from notify_svc.domain import KEEP_MS, Delivery, Notification, NowMs, Outcome
from notify_svc.page_token import Position

_ANSWER_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Page:
    """A page of an inbox, newest first; `next` is None on the last one."""

    notifications: list[Notification]
    next: Position | None
    unread_count: int


class Inbox:
    """The users' inboxes. All methods raise Unavailable within three seconds when Redis does not answer."""

    def __init__(self, scripts: store.Scripts, now_ms: NowMs) -> None:
        self._scripts = scripts
        self._now_ms = now_ms

    async def page(self, owner: str, size: int, after: Position | None) -> Page:
        """Up to `size` notifications of a user, from the newest or from behind a position."""
        position: list[str | int] = [] if after is None else [after.create_time_ms, after.id]
        async with _answered():
            unread, rows = await self._scripts.page(
                [store.inbox_key(owner), store.unread_key(owner)], [self._now_ms() - KEEP_MS, size + 1, *position]
            )
        notifications = [_notification(row) for row in rows[:size] if row]
        is_last = len(rows) <= size or not notifications
        next_position = None if is_last else Position(notifications[-1].create_time_ms, notifications[-1].id)
        return Page(notifications, next_position, unread)

    async def mark_read(self, owner: str, ids: Sequence[str]) -> None:
        """Marks these of a user's notifications as read, or all where no ids are given."""
        async with _answered():
            await self._scripts.mark_read([store.unread_key(owner)], [self._now_ms(), *ids])


@asynccontextmanager
async def _answered() -> AsyncIterator[None]:
    remaining = deadline.remaining()
    is_callers = remaining is not None and remaining < _ANSWER_SECONDS
    try:
        async with asyncio.timeout(remaining if is_callers else _ANSWER_SECONDS):
            yield
    except (RedisError, TimeoutError, OSError) as error:
        if is_callers and isinstance(error, TimeoutError):
            raise DeadlineExceeded("DEADLINE_EXCEEDED", "The queue did not answer before the deadline.") from None
        raise Unavailable("QUEUE_UNAVAILABLE", "The queue is away; try again.") from error


def _notification(flat: list[bytes]) -> Notification:
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    channels = sorted(name.decode().removeprefix("outcome:") for name in fields if name.startswith(b"outcome:"))
    return replace(
        notification_from_json(fields[b"notification"]),
        read_time_ms=_optional_int(fields.get(b"read_time")),
        deliveries=tuple(_delivery(channel, fields) for channel in channels),
    )


def _delivery(channel: str, fields: dict[bytes, bytes]) -> Delivery:
    outcome = Outcome(fields[f"outcome:{channel}".encode()].decode())
    attempts = int(fields[f"attempts:{channel}".encode()])
    return Delivery(channel, outcome, attempts, _optional_int(fields.get(f"time:{channel}".encode())))


def _optional_int(number: bytes | None) -> int | None:
    return None if number is None else int(number)
