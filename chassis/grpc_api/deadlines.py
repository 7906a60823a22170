"""The deadline of the current request: set once by the server, read by the stores and by outgoing calls."""

import asyncio
import time
from contextvars import ContextVar
from typing import Any

from chassis.errors import DeadlineExceeded
from chassis.grpc_api.interceptor import CallNext, RpcCall

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


def set_remaining(seconds: float) -> None:
    """Sets the deadline of the current request, counted from now."""
    _deadline.set(time.monotonic() + seconds)


def lift() -> None:
    """Takes the deadline from the current request, which may last as long as its client wants."""
    _deadline.set(None)


def at(default_seconds: float) -> float:
    """The deadline on the clock of `time.monotonic`; outside a request, `default_seconds` from now."""
    deadline = _deadline.get()
    return time.monotonic() + default_seconds if deadline is None else deadline


def remaining() -> float | None:
    """The seconds left, perhaps less than none, or None outside a request."""
    deadline = _deadline.get()
    return None if deadline is None else deadline - time.monotonic()


class Deadlines:
    """Gives a unary call without a deadline the default one, and lets everything below know the time that is left."""

    def __init__(self, default_seconds: float) -> None:
        self._default_seconds = default_seconds

    async def __call__(self, call: RpcCall, call_next: CallNext) -> Any:
        """Raises DeadlineExceeded when the default deadline passes; the client's own is kept by grpc."""
        remaining = call.context.time_remaining()
        if remaining is not None:
            set_remaining(remaining)
            return await call_next()
        if call.streams_responses:
            return await call_next()
        set_remaining(self._default_seconds)
        try:
            async with asyncio.timeout(self._default_seconds) as limit:
                return await call_next()
        except TimeoutError:
            if not limit.expired():
                raise
            raise DeadlineExceeded("DEADLINE_EXCEEDED", "The call took longer than the default deadlines.") from None
