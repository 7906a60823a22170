"""Takes items from a queue in batches."""

import asyncio
from typing import TypeVar

T = TypeVar("T")


async def next_batch(queue: asyncio.Queue[T], limit: int, gather_seconds: float = 0) -> list[T]:
    """At most `limit` items: waits for the first one, and then `gather_seconds` for more."""
    batch = [await queue.get()]
    await asyncio.sleep(gather_seconds)
    return batch + waiting(queue, limit - 1)


def waiting(queue: asyncio.Queue[T], limit: int) -> list[T]:
    """At most `limit` of the items that are in the queue now."""
    batch: list[T] = []
    while len(batch) < limit and not queue.empty():
        batch.append(queue.get_nowait())
    return batch
