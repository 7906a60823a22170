"""The deadline of the current request: set once by the server, read by stores and outgoing calls."""

import asyncio
import time
from contextvars import ContextVar
from typing import Any

from chassis.errors import DeadlineExceeded
from chassis.grpc_api.interceptor import CallNext, RpcCall

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


def set_remaining(seconds: float) -> None:
    """Set the deadline of the current request to `seconds` from now."""
    _deadline.set(time.monotonic() + seconds)


def lift() -> None:
    """Remove the deadline of the current request, for streams that last as long as the client wants."""
    _deadline.set(None)


def at(default_seconds: float) -> float:
    """Return the deadline on the clock of `time.monotonic`; outside a request, `default_seconds` from now."""
    deadline = _deadline.get()
    return time.monotonic() + default_seconds if deadline is None else deadline


def remaining() -> float | None:
    """Return the remaining seconds, negative after the deadline; None outside a request."""
    deadline = _deadline.get()
    return None if deadline is None else deadline - time.monotonic()


class Deadlines:
    """Sets the deadline of the current request: that of the client or, for unary calls without one, the default."""

    def __init__(self, default_seconds: float) -> None:
        self._default_seconds = default_seconds

    async def __call__(self, call: RpcCall, call_next: CallNext) -> Any:
        """Run the call. Raises DeadlineExceeded when the default deadline passes; grpc enforces the client's own."""
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
            message = f"The call exceeded the default deadline of {self._default_seconds:g} s."
            raise DeadlineExceeded("DEADLINE_EXCEEDED", message) from None
