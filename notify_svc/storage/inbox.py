"""The users' inboxes: lists notifications and marks them as read. `event_store` adds them; `servicer` calls this."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from notify_svc.domain import KEEP_MS, Cursor, Delivery, Notification, NowMs, Outcome
from notify_svc.storage import redis_client, redis_keys
from notify_svc.storage.event_store import notification_from_json
from notify_svc.storage.redis_deadline import redis_deadline


@dataclass(frozen=True, slots=True)
class Page:
    """A page of an inbox, newest first; `next` is None on the last page."""

    notifications: list[Notification]
    next: Cursor | None
    unread_count: int


class Inbox:
    """The users' inboxes. All methods raise Unavailable within three seconds if Redis does not respond."""

    def __init__(self, scripts: redis_client.Scripts, now_ms: NowMs) -> None:
        self._scripts = scripts
        self._now_ms = now_ms

    async def page(self, owner: str, size: int, after: Cursor | None) -> Page:
        """Return up to `size` notifications of a user, from the newest or after a cursor."""
        position: list[str | int] = [] if after is None else [after.time_ms, after.id]
        async with redis_deadline():
            unread, rows = await self._scripts.list_inbox(
                [redis_keys.inbox_key(owner), redis_keys.unread_key(owner)],
                [self._now_ms() - KEEP_MS, size + 1, *position],
            )
        notifications = [_notification(row) for row in rows[:size] if row]
        is_last = len(rows) <= size or not notifications
        next_cursor = None if is_last else Cursor(notifications[-1].create_time_ms, notifications[-1].id)
        return Page(notifications, next_cursor, unread)

    async def mark_read(self, owner: str, ids: Sequence[str]) -> None:
        """Mark a user's notifications as read: those with these ids, or all if `ids` is empty."""
        async with redis_deadline():
            await self._scripts.mark_read([redis_keys.unread_key(owner)], [self._now_ms(), *ids])


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
