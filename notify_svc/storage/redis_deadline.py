"""Limits the time of Redis commands for a caller: if Redis is unavailable, the caller soon gets an error."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.exceptions import RedisError

from chassis.errors import DeadlineExceeded, Unavailable
from chassis.grpc_api import deadlines

_SECONDS = 3.0


@asynccontextmanager
async def redis_deadline() -> AsyncIterator[None]:
    """Limit the Redis commands in the block to three seconds, or to the caller's deadline if that is sooner.

    Raises Unavailable if Redis is unavailable, and DeadlineExceeded if the caller's deadline passes first.
    """
    remaining = deadlines.remaining()
    is_callers = remaining is not None and remaining < _SECONDS
    if remaining is not None and remaining <= 0:  # with a timeout of 0, an immediate response could still succeed
        raise _deadline_exceeded()
    try:
        async with asyncio.timeout(remaining if is_callers else _SECONDS):
            yield
    except (RedisError, TimeoutError, OSError) as error:
        if is_callers and isinstance(error, TimeoutError):
            raise _deadline_exceeded() from None
        raise Unavailable("QUEUE_UNAVAILABLE", "The queue is unavailable; try again.") from error


def _deadline_exceeded() -> DeadlineExceeded:
    return DeadlineExceeded("DEADLINE_EXCEEDED", "The queue did not respond within the deadline.")
