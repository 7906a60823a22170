"""The relay: publishes events from the outbox to the stream.

A replica publishes its own events within milliseconds. The sweep publishes the remaining events of all replicas. There
are no leases: two sweeps may publish the same event, but consumers ignore duplicates. The sweep checks published events
that are not confirmed, with increasing pauses, and publishes an event again only if the stream has lost it.
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
_PAUSE_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Pauses:
    """The pause between sweeps, and the first and the longest pause before a published event is checked."""

    sweep: timedelta
    first_check: timedelta
    longest_check: timedelta


class Relay:
    """Publishes events. Requests call `publish_soon`; the other public methods are background jobs."""

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
        """Queue a stored event for publishing. Never waits: if the queue is full, the sweep publishes the event."""
        try:
            self._written.put_nowait(event)
        except asyncio.QueueFull:
            self._metrics.left_to_sweep.inc()

    async def publish_written(self) -> None:
        """Publish this replica's events, forever. Raises while the queue is unavailable; the sweep retries.

        An event after a pause is published at once. Then it waits a little: the events of that time form one batch,
        which costs the queue and all its readers as little as one event.
        """
        while True:
            events = await next_batch(self._written, _BATCH_MAX)
            try:
                marks = await self._append(events)
            except Exception:
                self._metrics.left_to_sweep.inc(len(events))
                raise
            for mark in marks:
                await self._published.put(mark)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def note_published(self) -> None:
        """Mark published events in the store, forever. Raises Unavailable; the sweep handles the unmarked events.

        It collects events for a short time first: one write for many events costs the store as little as for one.
        """
        while True:
            await self._store.mark_published(await next_batch(self._published, _BATCH_MAX, _GATHER_SECONDS))

    async def sweep(self) -> None:
        """Run `sweep_once` periodically, forever. Raises while the queue or the store is unavailable."""
        while True:
            swept = await self.sweep_once()
            if swept < _BATCH_MAX:
                await self._sleep(self._pauses.sweep.total_seconds())

    async def sweep_once(self) -> int:
        """Handle one batch of events whose `next_attempt_at` has passed; return its size.

        Publish the unpublished events, check that the stream has the others, and publish lost ones again.
        """
        events = await self._store.pending(self._clock(), _BATCH_MAX)
        published = [event for event in events if event.entry_id is not None]
        held = await self._stream.holds([event.entry_id for event in published if event.entry_id is not None])
        lost = [event for event, is_held in zip(published, held, strict=True) if not is_held]
        if lost:
            self._metrics.republished.inc(len(lost))
            _log.warning("republished lost events", events=len(lost))
        await self._store.mark_published(
            [
                self._mark(event, event.entry_id)
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
        return [self._mark(event, entry_id) for event, entry_id in zip(events, entry_ids, strict=True)]

    def _mark(self, event: OutboxEntry, entry_id: str) -> PublishMark:
        pause = backoff(event.attempts + 1, self._pauses.first_check, self._pauses.longest_check)
        return PublishMark(event.id, entry_id, self._clock() + pause)
