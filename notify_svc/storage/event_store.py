"""What is known of every event: recorded once, taken by the deliverers, settled when no channel owes it any more.

Each change is one atomic script, so that two processes may do it at once and a repeat has no second effect.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from redis.asyncio import Redis

from notify_svc.domain import INBOX_LIMIT, KEEP_MS, Notification, NowMs, Outcome
from notify_svc.grpc_api.convert import notification_from_json, notification_to_json
from notify_svc.storage import redis_keys


class Recorded(Enum):
    """What recording an event found; `lua/record.lua` says what each means."""

    NEW = "new"
    SETTLED = "settled"
    UNDER_WAY = "under_way"
    JOINED = "joined"
    SURPLUS = "surplus"


@dataclass(frozen=True, slots=True)
class Owed:
    """A notification that a channel has taken to deliver; `entries` are the ids of its stream entries."""

    notification: Notification
    attempt: int
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt ended; PENDING asks for another one at `due_ms`, `detail` says why it failed."""

    owed: Owed
    outcome: Outcome
    due_ms: int = 0
    detail: str = ""


class Ledger:
    """The events and what is owed for them, in Redis; raises RedisError while that is away."""

    def __init__(self, client: Redis, scripts: redis_keys.Scripts, channels: Collection[str], now_ms: NowMs) -> None:
        self._client = client
        self._scripts = scripts
        self._owed_keys = [redis_keys.owed_key(channel) for channel in channels]
        self._now_ms = now_ms

    async def record(self, arrived: Iterable[tuple[str, Notification]]) -> list[Recorded]:
        """Records events with the ids of their stream entries, in one atomic step; tells what it found for each."""
        arguments: list[str | int] = [self._now_ms(), KEEP_MS, INBOX_LIMIT]
        for entry_id, notification in arrived:
            arguments += (entry_id, notification_to_json(notification))
        found = await self._scripts.record([redis_keys.NOTIFICATIONS, redis_keys.CHANNELS, *self._owed_keys], arguments)
        return [Recorded(each.decode()) for each in found]

    async def are_known(self, event_ids: Sequence[str]) -> list[bool]:
        """Whether each of these events was recorded."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for event_id in event_ids:
                pipeline.exists(redis_keys.event_key(event_id))
            return [bool(found) for found in await pipeline.execute()]

    async def take(self, channel: str, limit: int, lease_ms: int) -> list[Owed]:
        """Takes what is due on a channel; what is not settled within the lease is due again, for anybody."""
        now = self._now_ms()
        rows = await self._scripts.take([redis_keys.owed_key(channel)], [channel, now, now + lease_ms, limit])
        return [_owed(row) for row in rows]

    async def owed_by_removed(self, channel: str, last_sign_ms: int, limit: int) -> list[Owed]:
        """What a channel owes, due or not, if no process has had it since then; takes nothing."""
        keys = [redis_keys.CHANNELS, redis_keys.owed_key(channel)]
        rows = await self._scripts.owed_by_removed(keys, [channel, last_sign_ms, limit])
        return [_owed(row) for row in rows]

    async def settle(self, channel: str, attempts: Sequence[Attempt]) -> list[tuple[str, ...] | None]:
        """Notes how attempts ended; for those events that no channel owes any more, gives their stream entries."""
        arguments: list[str | int] = [channel, self._now_ms(), KEEP_MS]
        for attempt in attempts:
            event_id, number = attempt.owed.notification.id, attempt.owed.attempt
            arguments += (event_id, number, attempt.outcome.value, attempt.due_ms)
        settled = await self._scripts.settle([redis_keys.owed_key(channel)], arguments)
        return [tuple(entries.decode().split()) or None for entries in settled]


def _owed(row: tuple[int, bytes, bytes]) -> Owed:
    attempt, entries, notification = row
    return Owed(notification_from_json(notification), attempt, tuple(entries.decode().split()))
