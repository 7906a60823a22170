"""The end of every event's way: confirmed to the task service, then acknowledged on the stream, in this order."""

import asyncio
from dataclasses import dataclass

import grpc
from redis.asyncio import Redis
from task.v1 import events_pb2, events_pb2_grpc

from chassis.errors import Unavailable
from notify_svc.metrics import NotifyMetrics
from notify_svc.storage import redis_keys

_BATCH = 500
_CONFIRM_SECONDS = 5.0
_GATHER_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Settled:
    """An event that is over, and the stream entries it came in; without an id there is nothing to confirm."""

    event_id: str
    entries: tuple[str, ...]


class Finisher:
    """Holds at most `capacity` settled events; who brings more has to wait.

    What it holds when the process dies is still pending on the stream: it is read again, found settled and confirmed.
    """

    def __init__(
        self, client: Redis, events: "events_pb2_grpc.TaskEventsServiceAsyncStub", metrics: NotifyMetrics, capacity: int
    ) -> None:
        self._client = client
        self._events = events
        self._metrics = metrics
        self._waiting: asyncio.Queue[Settled] = asyncio.Queue(capacity)
        self._batch: list[Settled] = []
        self._held: set[str] = set()

    @property
    def is_full(self) -> bool:
        """Whether the next `finish` would have to wait."""
        return self._waiting.full()

    @property
    def waiting(self) -> int:
        """How many events wait for their confirmation."""
        return self._waiting.qsize() + len(self._batch)

    async def finish(self, settled: Settled) -> None:
        """Takes over a settled event; waits while there is no room."""
        await self._waiting.put(settled)
        self._held.update(settled.entries)

    def holds(self, entry_id: str) -> bool:
        """Whether a stream entry waits here already, so that reading it again changes nothing."""
        return entry_id in self._held

    async def run(self) -> None:
        """Works until cancelled. Raises Unavailable or RedisError; run again, it goes on with the same batch."""
        while True:
            if not self._batch:
                self._batch = await self._next_batch()
            await self._confirm([settled.event_id for settled in self._batch if settled.event_id])
            entries = [entry for settled in self._batch for entry in settled.entries]
            await self._client.xack(redis_keys.EVENTS, redis_keys.GROUP, *entries)
            self._held.difference_update(entries)
            self._batch = []

    async def _next_batch(self) -> list[Settled]:
        batch = [await self._waiting.get()]
        # Nobody waits for a confirmation, and one for many costs both services as little as one for one.
        await asyncio.sleep(_GATHER_SECONDS)
        while len(batch) < _BATCH and not self._waiting.empty():
            batch.append(self._waiting.get_nowait())
        return batch

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
