"""Gives up the deliveries of channels that were removed from the settings, so that no event waits for them forever.

Each process announces its channels periodically. During a deployment, the settings of replicas may differ: a channel is
removed only when no process has announced it during the grace period.
"""

import asyncio
from collections.abc import Collection
from typing import Any

import structlog
from redis.asyncio import Redis

from notify_svc.delivery.completion import Completion
from notify_svc.domain import NowMs, Outcome, Reason
from notify_svc.storage import redis_keys
from notify_svc.storage.event_store import Attempt, EventStore

_log = structlog.get_logger("removed channels")

_BATCH = 100
_LONGEST_INTERVAL_SECONDS = 30.0
_ANNOUNCEMENTS_PER_GRACE = 10
_DETAIL = "the channel is no longer configured"


class RemovedChannels:
    """Announces `channels`, those of this process, and gives up the deliveries of removed ones."""

    def __init__(
        self,
        client: Redis,
        channels: Collection[str],
        event_store: EventStore,
        completion: Completion,
        *,
        grace_seconds: float,
        now_ms: NowMs,
    ) -> None:
        self._client = client
        self._channels = channels
        self._event_store = event_store
        self._completion = completion
        self._grace_seconds = grace_seconds
        self._now_ms = now_ms

    async def run(self) -> None:
        """Announce and give up until cancelled. Raises RedisError while Redis is unavailable."""
        clock = asyncio.get_running_loop().time
        begun = clock()
        while True:
            await self.announce()
            # No process can announce while Redis is unavailable, so the grace period starts when it is available again.
            if clock() - begun > self._grace_seconds:
                await self.give_up()
            await asyncio.sleep(min(_LONGEST_INTERVAL_SECONDS, self._grace_seconds / _ANNOUNCEMENTS_PER_GRACE))

    async def announce(self) -> None:
        """Announce the channels of this process."""
        if self._channels:
            await self._client.zadd(redis_keys.CHANNELS, dict.fromkeys(self._channels, self._now_ms()))

    async def give_up(self) -> None:
        """Dead-letter the pending deliveries of removed channels."""
        grace_start = self._now_ms() - int(self._grace_seconds * 1000)
        channels: Any = await self._client.zrangebyscore(redis_keys.CHANNELS, "-inf", f"({grace_start}")
        for channel in channels:
            await self._give_up_channel(channel.decode(), grace_start)

    async def _give_up_channel(self, channel: str, grace_start_ms: int) -> None:
        count = 0
        while pending := await self._event_store.pending_of_removed(channel, grace_start_ms, _BATCH):
            await self._completion.complete(
                channel,
                [Attempt(each, Outcome.GAVE_UP, detail=_DETAIL, reason=Reason.CHANNEL_REMOVED) for each in pending],
            )
            count += len(pending)
        _log.warning("dead-lettered deliveries of a removed channel", channel=channel, deliveries=count)
