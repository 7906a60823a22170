"""Reads the stream in the consumer group, and passes each entry to `event_handler`.

After the start and after each error, it reads its own pending entries first: if a response was lost, they contain
entries that it never received. It also claims entries that other consumers have not acknowledged.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from notify_svc.events.acknowledger import Acknowledger
from notify_svc.events.event_handler import Entry, EventHandler
from notify_svc.metrics import NotifyMetrics
from notify_svc.storage import redis_keys

_log = structlog.get_logger("consumer")

_BATCH = 200
_BLOCK_MS = 1000  # must be well below the client's timeout, or reads of an idle stream would time out
_FULL_PAUSE_SECONDS = 0.1

Row = tuple[bytes, dict[bytes, bytes]]


def _now() -> float:
    return asyncio.get_running_loop().time()


class Consumer:
    """One consumer of the group. It needs its own `client`, because its reads block."""

    def __init__(
        self,
        client: Redis,
        name: str,
        event_handler: EventHandler,
        acknowledger: Acknowledger,
        *,
        metrics: NotifyMetrics,
        claim_idle_seconds: float,
    ) -> None:
        self._client = client
        self._name = name
        self._event_handler = event_handler
        self._acknowledger = acknowledger
        self._metrics = metrics
        self._claim_idle_seconds = claim_idle_seconds
        self._next_claim = 0.0
        self._last_progress = float("-inf")

    @property
    def seconds_without_progress(self) -> float:
        """The time since the last iteration of the loop; infinite before the first one."""
        return _now() - self._last_progress

    async def run(self) -> None:
        """Consume until cancelled. Raises RedisError while Redis is unavailable or if the group was deleted.

        The next run starts from the beginning: it creates the group and reads the pending entries.
        """
        await self._join()
        await self._read_own_pending()
        self._last_progress = _now()
        while True:
            if self._acknowledger.is_full:
                await asyncio.sleep(_FULL_PAUSE_SECONDS)
            else:
                if _now() >= self._next_claim:
                    await self._claim()
                    self._next_claim = _now() + self._claim_idle_seconds
                await self._read_new()
            self._last_progress = _now()

    async def _join(self) -> None:
        try:
            await self._client.xgroup_create(redis_keys.EVENTS, redis_keys.GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        else:
            _log.info("created consumer group", stream=redis_keys.EVENTS, group=redis_keys.GROUP)

    async def _read_own_pending(self) -> None:
        last = "0"
        while rows := await self._read(last):
            await self._handle_redelivered(rows)
            last = rows[-1][0].decode()

    async def _read_new(self) -> None:
        rows = await self._read(">", block_ms=_BLOCK_MS)
        self._metrics.last_read.set_to_current_time()
        if rows:
            await self._event_handler.handle([Entry(entry_id.decode(), fields) for entry_id, fields in rows])

    async def _read(self, after: str, block_ms: int | None = None) -> list[Row]:
        streams: dict[Any, Any] = {redis_keys.EVENTS: after}
        reply: Any = await self._client.xreadgroup(redis_keys.GROUP, self._name, streams, count=_BATCH, block=block_ms)
        rows: list[Row] = reply[0][1] if reply else []
        return rows

    async def _claim(self) -> None:
        """Claim entries that other consumers have not acknowledged for `claim_idle_seconds`."""
        cursor = "0-0"
        while True:
            reply = await self._client.xautoclaim(
                redis_keys.EVENTS,
                redis_keys.GROUP,
                self._name,
                int(self._claim_idle_seconds * 1000),
                cursor,
                count=_BATCH,
            )
            cursor, rows, deleted = reply[0].decode(), reply[1], reply[2]
            if deleted:
                self._metrics.deleted.inc(len(deleted))
                _log.warning("pending entries deleted", count=len(deleted), first=deleted[0].decode())
            if rows:
                self._metrics.claimed.inc(len(rows))
                await self._handle_redelivered(rows)
            if cursor == "0-0":
                return

    async def _handle_redelivered(self, rows: Sequence[Row]) -> None:
        self._metrics.redelivered.inc(len(rows))
        async with self._client.pipeline(transaction=False) as pipeline:
            for entry_id, _ in rows:
                pipeline.xpending_range(redis_keys.EVENTS, redis_keys.GROUP, entry_id, entry_id, 1)
            pending = await pipeline.execute()
        # An entry that is no longer pending was acknowledged in the meantime.
        await self._event_handler.handle(
            [
                Entry(entry_id.decode(), fields, found[0]["times_delivered"])
                for (entry_id, fields), found in zip(rows, pending, strict=True)
                if found
            ]
        )
