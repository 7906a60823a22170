"""Gives up what channels owe that were taken out of the settings, so that no event waits for them for ever.

Every process gives a sign of the channels it has. While replicas are exchanged their files may differ: a channel is
removed once none of them has given a sign of it for the grace.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

import structlog
from redis.asyncio import Redis

from notify_svc.domain import DeadLetter, NowMs, Outcome, Reason
from notify_svc.events.acknowledger import Finisher, Settled
from notify_svc.storage import redis_keys
from notify_svc.storage.dead_letters import DeadLetters
from notify_svc.storage.event_store import Attempt, Ledger, Owed

_log = structlog.get_logger("removed channels")

_BATCH = 100
_LONGEST_INTERVAL_SECONDS = 30.0
_SIGNS_IN_A_GRACE = 10


class RemovedChannels:
    """Looks for them again and again; `channels` are those of this process."""

    def __init__(
        self,
        client: Redis,
        channels: Collection[str],
        ledger: Ledger,
        dead_letters: DeadLetters,
        finisher: Finisher,
        *,
        grace_seconds: float,
        now_ms: NowMs,
    ) -> None:
        self._client = client
        self._channels = channels
        self._ledger = ledger
        self._dead_letters = dead_letters
        self._finisher = finisher
        self._grace_seconds = grace_seconds
        self._now_ms = now_ms

    async def run(self) -> None:
        """Works until cancelled. Raises RedisError while Redis is away."""
        clock = asyncio.get_running_loop().time
        begun = clock()
        while True:
            await self.give_sign()
            # Nobody could give a sign while Redis was away: what was not seen counts from then on only.
            if clock() - begun > self._grace_seconds:
                await self.give_up()
            await asyncio.sleep(min(_LONGEST_INTERVAL_SECONDS, self._grace_seconds / _SIGNS_IN_A_GRACE))

    async def give_sign(self) -> None:
        """Tells that this process has its channels."""
        if self._channels:
            await self._client.zadd(redis_keys.CHANNELS, dict.fromkeys(self._channels, self._now_ms()))

    async def give_up(self) -> None:
        """Makes dead letters of all that removed channels owe, and settles it."""
        last_sign = self._now_ms() - int(self._grace_seconds * 1000)
        channels: Any = await self._client.zrangebyscore(redis_keys.CHANNELS, "-inf", f"({last_sign}")
        for channel in channels:
            await self._give_up_channel(channel.decode(), last_sign)

    async def _give_up_channel(self, channel: str, last_sign_ms: int) -> None:
        count = 0
        while owed := await self._ledger.owed_by_removed(channel, last_sign_ms, _BATCH):
            for each in owed:
                await self._bury(channel, each)
            await self._settle(channel, owed)
            count += len(owed)
        _log.warning("gave up a removed channel", channel=channel, owed=count)

    async def _bury(self, channel: str, owed: Owed) -> None:
        """Makes a dead letter before the event is settled: a crash between the two only repeats that."""
        letter = DeadLetter(
            f"{owed.entries[0]}/{channel}",
            owed.notification.id,
            Reason.CHANNEL_REMOVED,
            "the channel is no longer configured",
            owed.attempt,
            channel=channel,
            notification=owed.notification,
        )
        await self._dead_letters.put(letter)

    async def _settle(self, channel: str, owed: Sequence[Owed]) -> None:
        attempts = [Attempt(each, Outcome.GAVE_UP) for each in owed]
        for each, entries in zip(owed, await self._ledger.settle(channel, attempts), strict=True):
            if entries is not None:
                await self._finisher.finish(Settled(each.notification.id, entries))
