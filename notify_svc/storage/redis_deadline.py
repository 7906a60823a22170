"""What is asked of Redis for a caller is answered in time: a queue that is away is an error soon, not a long wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.exceptions import RedisError

from chassis.errors import DeadlineExceeded, Unavailable
from chassis.grpc_api import deadlines

_SECONDS = 3.0


@asynccontextmanager
async def redis_deadline() -> AsyncIterator[None]:
    """Gives what the block asks of Redis three seconds, or what is left to the caller where that is less.

    Raises Unavailable while the queue is away, DeadlineExceeded when the caller's time is up first.
    """
    remaining = deadlines.remaining()
    is_callers = remaining is not None and remaining < _SECONDS
    if remaining is not None and remaining <= 0:  # a timeout may miss what Redis answers at once
        raise _too_late()
    try:
        async with asyncio.timeout(remaining if is_callers else _SECONDS):
            yield
    except (RedisError, TimeoutError, OSError) as error:
        if is_callers and isinstance(error, TimeoutError):
            raise _too_late() from None
        raise Unavailable("QUEUE_UNAVAILABLE", "The queue is away; try again.") from error


def _too_late() -> DeadlineExceeded:
    return DeadlineExceeded("DEADLINE_EXCEEDED", "The queue did not answer before the deadlines.")
