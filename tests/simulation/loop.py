"""An event loop whose time is simulated: nobody waits, the clock moves on to the next thing that is to happen."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _NothingToHear(selectors.SelectSelector):
    """Hears of no socket, and lets the time pass that it should wait for one."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            msg = "everything waits, and for nothing that could happen"
            raise RuntimeError(msg)
        self.now += max(0.0, timeout)
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """What is due at the same time runs in the order it was asked for, so that a run depends on nothing outside it."""

    def __init__(self) -> None:
        self._clock = _NothingToHear()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def simulated(main: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine in simulated time, and ends whatever it has left behind."""
    loop = SimulatedLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()
