"""Refreshes the gauges of the queue every five seconds, so that a scrape does not query Redis."""

import asyncio

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from notify_svc.events.acknowledger import Acknowledger
from notify_svc.metrics import NotifyMetrics
from notify_svc.storage import redis_keys

_INTERVAL_SECONDS = 5.0


class Gauges:
    """Measures the stream, its consumer group and the dead letters."""

    def __init__(self, client: Redis, acknowledger: Acknowledger, metrics: NotifyMetrics) -> None:
        self._client = client
        self._acknowledger = acknowledger
        self._metrics = metrics

    async def run(self) -> None:
        """Refresh until cancelled. Raises RedisError while Redis is unavailable."""
        while True:
            await self.refresh()
            await asyncio.sleep(_INTERVAL_SECONDS)

    async def refresh(self) -> None:
        """Set all gauges once."""
        self._metrics.unconfirmed.set(self._acknowledger.waiting)
        self._metrics.dead_letters.set(await self._client.zcard(redis_keys.DEAD_LETTERS))
        try:
            groups = await self._client.xinfo_groups(redis_keys.EVENTS)
        except ResponseError:  # no stream yet
            return
        for group in groups:
            if group["name"] == redis_keys.GROUP.encode():
                self._metrics.pending.set(group["pending"])
                # Redis does not know the lag after entries were deleted; the stream's length is its upper bound.
                lag = group["lag"]
                self._metrics.lag.set(lag if lag is not None else await self._client.xlen(redis_keys.EVENTS))
