"""The stream `task-events` to which the relay publishes: a port, and its adapter for Redis and Valkey."""

from collections.abc import Sequence
from typing import Protocol

from redis.asyncio import Redis

from task_svc.outbox import OutboxEntry

STREAM = "task-events"


class EventStream(Protocol):
    """The stream of events.

    Both methods raise while the queue is unavailable. In that case, `append` may have appended some of the events.
    """

    async def append(self, events: Sequence[OutboxEntry]) -> Sequence[str]:
        """Append the events in order and return the ids of their entries. The entries are then durable."""

    async def holds(self, entry_ids: Sequence[str]) -> Sequence[bool]:
        """Return for each entry whether the stream still has it."""


class RedisEventStream:
    """The adapter of `EventStream` for Redis. It never trims: only the consumers know which entries they still need."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def append(self, events: Sequence[OutboxEntry]) -> Sequence[str]:
        """See `EventStream.append`."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for event in events:
                pipeline.xadd(STREAM, {"id": str(event.id), "event": event.payload})
            entry_ids: list[bytes] = await pipeline.execute()
        return [entry_id.decode() for entry_id in entry_ids]

    async def holds(self, entry_ids: Sequence[str]) -> Sequence[bool]:
        """See `EventStream.holds`."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for entry_id in entry_ids:
                pipeline.xrange(STREAM, min=entry_id, max=entry_id, count=1)
            found: list[list[object]] = await pipeline.execute()
        return [bool(entries) for entries in found]
