"""An event loop with simulated time: instead of waiting, the clock jumps to the next event."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _SimulatedSelector(selectors.SelectSelector):
    """A selector without sockets: `select` advances the clock by the timeout."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            msg = "deadlock: all tasks wait, and no timer is set"
            raise RuntimeError(msg)
        self.now += max(0.0, timeout)
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop whose run is deterministic: timers for the same time run in the order in which they were set."""

    def __init__(self) -> None:
        self._clock = _SimulatedSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def simulated(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in simulated time, and cancel the tasks that it leaves."""
    loop = SimulatedLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()
