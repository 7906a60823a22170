"""Trims the streams: drops old entries, but from `task-events` only those that the consumer group has acknowledged."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from notify_svc.domain import NowMs
from notify_svc.storage import redis_client, redis_keys

_log = structlog.get_logger("trimmer")

KEPT_MS = 15 * 60 * 1000
_IDLE_MS = 60 * 60 * 1000
_INTERVAL_SECONDS = 30.0


class Trimmer:
    """Trims both streams every 30 seconds, and drops consumers that were idle for an hour."""

    def __init__(self, client: Redis, scripts: redis_client.Scripts, now_ms: NowMs) -> None:
        self._client = client
        self._scripts = scripts
        self._now_ms = now_ms

    async def run(self) -> None:
        """Trim until cancelled. Raises RedisError while Redis is unavailable."""
        while True:
            await self.trim()
            await asyncio.sleep(_INTERVAL_SECONDS)

    async def trim(self) -> None:
        """Drop entries older than 15 minutes, except task events that are unread or not acknowledged."""
        oldest = (self._now_ms() - KEPT_MS, 0)
        await self._client.xtrim(redis_keys.NOTIFICATIONS, minid=_text(oldest), approximate=False)
        needed = await self._oldest_needed()
        if needed is not None:
            dropped = await self._client.xtrim(redis_keys.EVENTS, minid=_text(min(oldest, needed)), approximate=False)
            _log.debug("trimmed", stream=redis_keys.EVENTS, dropped=dropped)
            await self._scripts.drop_consumers([redis_keys.EVENTS], [redis_keys.GROUP, _IDLE_MS])

    async def _oldest_needed(self) -> tuple[int, int] | None:
        """Return the first pending entry or, if none is pending, the last one read; None without a group."""
        # One transaction: entries that are read between the two commands would look acknowledged.
        async with self._client.pipeline(transaction=True) as pipeline:
            pipeline.xinfo_groups(redis_keys.EVENTS)
            pipeline.xpending(redis_keys.EVENTS, redis_keys.GROUP)
            try:
                groups, pending = await pipeline.execute()
            except ResponseError:
                return None
        last_read = [_number(group["last-delivered-id"]) for group in groups if _is_ours(group)]
        first_pending = [_number(pending["min"])] if pending["min"] else []
        return min(last_read + first_pending)


def _is_ours(group: Mapping[str, Any]) -> bool:
    return bool(group["name"] == redis_keys.GROUP.encode())


def _number(entry_id: bytes) -> tuple[int, int]:
    milliseconds, sequence = entry_id.split(b"-")
    return int(milliseconds), int(sequence)


def _text(number: tuple[int, int]) -> str:
    return f"{max(0, number[0])}-{number[1]}"
