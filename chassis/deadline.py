"""The time by which the caller of the request at hand wants its answer.

Set once per request by the server (`chassis.layers`), read wherever a wait begins: by the stores and by outgoing calls.
"""

import time
from contextvars import ContextVar

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


def set_remaining(seconds: float) -> None:
    """Sets the deadline of the current request, counted from now."""
    _deadline.set(time.monotonic() + seconds)


def lift() -> None:
    """Takes the deadline from the current request, which may last as long as its client wants."""
    _deadline.set(None)


def at() -> float | None:
    """The deadline on the clock of `time.monotonic`, or None outside a request."""
    return _deadline.get()


def remaining() -> float | None:
    """The seconds left, perhaps less than none, or None outside a request."""
    deadline = _deadline.get()
    return None if deadline is None else deadline - time.monotonic()
