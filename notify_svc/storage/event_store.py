"""Stores events. An event is recorded once, leased by the deliverers, and complete when no delivery is pending.

Each change is one atomic Lua script, so concurrent and repeated calls are safe.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from redis.asyncio import Redis

from notify_svc.domain import INBOX_LIMIT, KEEP_MS, Kind, Notification, NowMs, Outcome, Reason
from notify_svc.storage import redis_client, redis_keys


class Recorded(Enum):
    """The result of recording an event; `lua/record.lua` explains each."""

    NEW = "new"
    COMPLETED = "settled"
    UNDER_WAY = "under_way"
    JOINED = "joined"
    SURPLUS = "surplus"


@dataclass(frozen=True, slots=True)
class PendingDelivery:
    """A notification that a channel has leased for delivery; `entries` are the ids of its stream entries."""

    notification: Notification
    attempt: int
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """The result of an attempt. PENDING requests another attempt at `due_ms`; `detail` is the error.

    `reason` is the reason of the dead letter. `is_made` is False if the delivery was given up without an attempt.
    """

    delivery: PendingDelivery
    outcome: Outcome
    due_ms: int = 0
    detail: str = ""
    reason: Reason = Reason.GAVE_UP
    is_made: bool = True


class EventStore:
    """The events and their pending deliveries in Redis. All methods raise RedisError while Redis is unavailable."""

    def __init__(self, client: Redis, scripts: redis_client.Scripts, channels: Collection[str], now_ms: NowMs) -> None:
        self._client = client
        self._scripts = scripts
        self._pending_keys = {channel: redis_keys.pending_key(channel) for channel in channels}
        self._now_ms = now_ms

    async def record(self, arrived: Iterable[tuple[str, Notification]]) -> list[Recorded]:
        """Record events with the ids of their stream entries, atomically."""
        arguments: list[str | int] = [self._now_ms(), KEEP_MS, INBOX_LIMIT]
        for entry_id, notification in arrived:
            arguments += (entry_id, notification_to_json(notification))
        found = await self._scripts.record(
            [redis_keys.NOTIFICATIONS, redis_keys.CHANNELS, *self._pending_keys.values()], arguments
        )
        return [Recorded(each.decode()) for each in found]

    async def are_recorded(self, event_ids: Sequence[str]) -> list[bool]:
        """Return for each event whether it is recorded."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for event_id in event_ids:
                pipeline.exists(redis_keys.event_key(event_id))
            return [bool(found) for found in await pipeline.execute()]

    async def lease(self, channel: str, limit: int, lease_ms: int) -> list[PendingDelivery]:
        """Lease due deliveries of a channel. Any process can lease them again when the lease ends."""
        now = self._now_ms()
        rows = await self._scripts.lease_due([self._pending_keys[channel]], [channel, now, now + lease_ms, limit])
        return [_delivery(row) for row in rows]

    async def pending_of_removed(self, channel: str, grace_start_ms: int, limit: int) -> list[PendingDelivery]:
        """Return pending deliveries of a channel that no process announced since `grace_start_ms`, without a lease."""
        keys = [redis_keys.CHANNELS, redis_keys.pending_key(channel)]
        rows = await self._scripts.pending_of_removed(keys, [channel, grace_start_ms, limit])
        return [_delivery(row) for row in rows]

    async def complete(self, channel: str, attempts: Sequence[Attempt]) -> list[tuple[str, ...] | None]:
        """Store the results of attempts; return for each the stream entries if the event is now complete, else None."""
        arguments: list[str | int] = [channel, self._now_ms(), KEEP_MS]
        for attempt in attempts:
            event_id, number = attempt.delivery.notification.id, attempt.delivery.attempt
            arguments += (event_id, number, attempt.outcome.value, attempt.due_ms)
        key = self._pending_keys.get(channel) or redis_keys.pending_key(channel)  # the channel may be a removed one
        completed = await self._scripts.complete_delivery([key], arguments)
        return [tuple(entries.decode().split()) or None for entries in completed]


def _delivery(row: tuple[int, bytes, bytes]) -> PendingDelivery:
    attempt, entries, notification = row
    return PendingDelivery(notification_from_json(notification), attempt, tuple(entries.decode().split()))


def notification_to_json(notification: Notification) -> str:
    """Return the JSON that Redis stores; the read time and deliveries are separate fields of the same hash."""
    return json.dumps(
        {
            "id": notification.id,
            "kind": notification.kind.value,
            "owner": notification.owner,
            "task_id": notification.task_id,
            "title": notification.title,
            "create_time_ms": notification.create_time_ms,
            "due_time_ms": notification.due_time_ms,
            "request_id": notification.request_id,
            "traceparent": notification.traceparent,
        }
    )


def notification_from_json(text: bytes) -> Notification:
    """Return the notification in JSON that `notification_to_json` wrote."""
    fields = json.loads(text)
    return Notification(**{**fields, "kind": Kind(fields["kind"])})
