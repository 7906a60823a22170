"""Confirms completed events to the task service, and then acknowledges them on the stream, in this order."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import grpc
from redis.asyncio import Redis
from task.v1 import events_pb2, events_pb2_grpc

from chassis.background_jobs import next_batch
from chassis.errors import Unavailable
from notify_svc.metrics import NotifyMetrics
from notify_svc.storage import redis_keys

_BATCH = 500
_CONFIRM_SECONDS = 5.0
_GATHER_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Completed:
    """An event that every channel has delivered or given up, and its stream entries.

    An event with an empty id is not confirmed, only acknowledged.
    """

    event_id: str
    entries: tuple[str, ...]


class Acknowledger:
    """Holds at most `capacity` completed events; `add` waits while it is full.

    If the process dies, these events are still pending on the stream. They are read again, found complete, and
    confirmed.
    """

    def __init__(
        self, client: Redis, events: "events_pb2_grpc.TaskEventsServiceAsyncStub", metrics: NotifyMetrics, capacity: int
    ) -> None:
        self._client = client
        self._events = events
        self._metrics = metrics
        self._waiting: asyncio.Queue[Completed] = asyncio.Queue(capacity)
        self._batch: list[Completed] = []
        self._held: set[str] = set()

    @property
    def is_full(self) -> bool:
        """Whether the next `add` would wait."""
        return self._waiting.full()

    @property
    def waiting(self) -> int:
        """The number of events that wait for confirmation."""
        return self._waiting.qsize() + len(self._batch)

    async def add(self, completed: Completed) -> None:
        """Queue a completed event; wait while the queue is full."""
        await self._waiting.put(completed)
        self._held.update(completed.entries)

    async def skip(self, entry_ids: Sequence[str]) -> None:
        """Acknowledge stream entries immediately, without a confirmation."""
        if entry_ids:
            await self._client.xack(redis_keys.EVENTS, redis_keys.GROUP, *entry_ids)

    def holds(self, entry_id: str) -> bool:
        """Return whether a stream entry already waits here, so that a redelivery of it can be ignored."""
        return entry_id in self._held

    async def run(self) -> None:
        """Confirm and acknowledge until cancelled. Raises Unavailable or RedisError; the next run retries the batch."""
        while True:
            if not self._batch:
                # Collect for 50 ms: a call for many events costs little more than a call for one event.
                self._batch = await next_batch(self._waiting, _BATCH, _GATHER_SECONDS)
            await self._confirm([each.event_id for each in self._batch if each.event_id])
            entries = [entry for each in self._batch for entry in each.entries]
            await self.skip(entries)
            self._held.difference_update(entries)
            self._batch = []

    async def _confirm(self, event_ids: list[str]) -> None:
        if not event_ids:
            return
        try:
            await self._events.ConfirmEvents(
                events_pb2.ConfirmEventsRequest(event_ids=event_ids), timeout=_CONFIRM_SECONDS
            )
        except grpc.aio.AioRpcError as error:
            self._metrics.confirmations_failed.inc()
            raise Unavailable("TASK_SERVICE_UNAVAILABLE", f"ConfirmEvents: {error.code().name}") from None
