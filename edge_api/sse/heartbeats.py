"""Heartbeats for idle streams, from one timer: a timer per stream would cost more than the heartbeat itself."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chassis.feed.watcher import HEARTBEAT_SECONDS

_GROUPS = 150


class Heartbeats:
    """Calls each registered callback once every `HEARTBEAT_SECONDS`; `run` must keep running.

    The callbacks are spread over that time, even if they were registered together, as after a restart of the edge.
    """

    def __init__(self) -> None:
        self._groups: list[set[Callable[[], None]]] = [set() for _ in range(_GROUPS)]

    @contextmanager
    def each(self, beat: Callable[[], None]) -> Iterator[None]:
        """Call `beat` regularly for the duration of the block, the first time within `HEARTBEAT_SECONDS`."""
        group = min(self._groups, key=len)
        group.add(beat)
        try:
            yield
        finally:
            group.discard(beat)

    async def run(self) -> None:
        """Call the callbacks, group by group, until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            for group in self._groups:
                due = max(due + HEARTBEAT_SECONDS / _GROUPS, loop.time())
                await asyncio.sleep(due - loop.time())
                for beat in group:
                    beat()
