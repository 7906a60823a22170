"""The stream `task-events`, as the relay sees it: a port, and its adapter for Redis and Valkey."""

from collections.abc import Sequence
from typing import Protocol

from redis.asyncio import Redis

from task_svc.outbox import OutboxEntry

STREAM = "task-events"


class EventStream(Protocol):
    """Where events are published. Both methods raise when the queue is away; then nothing, or a part, was done."""

    async def append(self, events: Sequence[OutboxEntry]) -> Sequence[str]:
        """Appends the events in order and returns their entries' ids; when it returns, the entries are durable."""

    async def holds(self, entry_ids: Sequence[str]) -> Sequence[bool]:
        """Tells of each entry whether the stream still holds it."""


class RedisEventStream:
    """The adapter of `EventStream` for Redis; never trims, because only the consumers know what is done with."""

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
