"""The relay: carries events from the outbox to the stream, at once where it can and by sweep where it must.

A replica publishes what it wrote as soon as it is stored; the sweep publishes what stayed behind, anybody's. There are
no leases: two sweeps may publish the same event, and an event that comes twice has no second effect. An event that is
published and not confirmed is looked at again with growing pauses, and published again only if the stream lost it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from chassis.background_jobs import backoff, next_batch
from task_svc.event_stream import EventStream
from task_svc.outbox import Clock, OutboxEntry, OutboxStore, PublishMark
from task_svc.relay_metrics import RelayMetrics

_log = structlog.get_logger("relay")

_QUEUE_MAX = 1_000
_BATCH_MAX = 200
_GATHER_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Pauses:
    """How often to sweep, and how long to leave a published event alone at first and at most."""

    sweep: timedelta
    first_look: timedelta
    longest_look: timedelta


class Relay:
    """Publishes events; `publish_soon` is for the request that wrote one, the jobs run in the background."""

    def __init__(
        self,
        store: OutboxStore,
        stream: EventStream,
        clock: Clock,
        pauses: Pauses,
        metrics: RelayMetrics,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._stream = stream
        self._clock = clock
        self._pauses = pauses
        self._metrics = metrics
        self._sleep = sleep
        self._written: asyncio.Queue[OutboxEntry] = asyncio.Queue(_QUEUE_MAX)
        self._published: asyncio.Queue[PublishMark] = asyncio.Queue(_QUEUE_MAX)

    def publish_soon(self, event: OutboxEntry) -> None:
        """Has an event published that was just stored; never waits, for what is passed over is left to the sweep."""
        try:
            self._written.put_nowait(event)
        except asyncio.QueueFull:
            self._metrics.left_to_sweep.inc()

    async def publish_written(self) -> None:
        """Publishes what this replica writes, for ever. Raises when the queue is away; what it held is swept."""
        while True:
            events = await next_batch(self._written, _BATCH_MAX)
            try:
                marks = await self._append(events)
            except Exception:
                self._metrics.left_to_sweep.inc(len(events))
                raise
            for mark in marks:
                await self._published.put(mark)

    async def note_published(self) -> None:
        """Notes in the store what was published, for ever. Raises when that is away; what it held is swept.

        It gathers first: who published goes on meanwhile, and one write for many costs the store as little as for one.
        """
        while True:
            await self._store.mark_published(await next_batch(self._published, _BATCH_MAX, _GATHER_SECONDS))

    async def sweep(self) -> None:
        """Publishes what stayed behind, for ever. Raises when queue or store are away."""
        while True:
            swept = await self.sweep_once()
            if swept < _BATCH_MAX:
                await self._sleep(self._pauses.sweep.total_seconds())

    async def sweep_once(self) -> int:
        """Looks at one batch of the events whose time has come; tells how many they were."""
        events = await self._store.pending(self._clock(), _BATCH_MAX)
        published = [event for event in events if event.entry_id is not None]
        held = await self._stream.holds([event.entry_id for event in published if event.entry_id is not None])
        lost = [event for event, is_held in zip(published, held, strict=True) if not is_held]
        if lost:
            self._metrics.republished.inc(len(lost))
            _log.warning("republished lost events", events=len(lost))
        await self._store.mark_published(
            [
                self._look_later(event, event.entry_id)
                for event, is_held in zip(published, held, strict=True)
                if is_held and event.entry_id is not None
            ]
        )
        await self._publish([event for event in events if event.entry_id is None] + lost)
        return len(events)

    async def _publish(self, events: Sequence[OutboxEntry]) -> None:
        if not events:
            return
        await self._store.mark_published(await self._append(events))

    async def _append(self, events: Sequence[OutboxEntry]) -> list[PublishMark]:
        entry_ids = await self._stream.append(events)
        self._metrics.published.inc(len(events))
        return [self._look_later(event, entry_id) for event, entry_id in zip(events, entry_ids, strict=True)]

    def _look_later(self, event: OutboxEntry, entry_id: str) -> PublishMark:
        pause = backoff(event.attempts + 1, self._pauses.first_look, self._pauses.longest_look)
        return PublishMark(event.id, entry_id, self._clock() + pause)
