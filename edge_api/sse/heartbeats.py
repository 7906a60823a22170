"""When quiet streams have to send something: one timer for all, where one for each would cost more than its beat."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chassis.feed.watcher import HEARTBEAT_SECONDS

_GROUPS = 150


class Heartbeats:
    """Calls everybody who asked for it once every `HEARTBEAT_SECONDS`; `run` is to be kept running.

    They are spread over that time, also when they came together, as they do when an edge starts again.
    """

    def __init__(self) -> None:
        self._groups: list[set[Callable[[], None]]] = [set() for _ in range(_GROUPS)]

    @contextmanager
    def each(self, beat: Callable[[], None]) -> Iterator[None]:
        """Calls `beat` for as long as the block lasts; the first time within `HEARTBEAT_SECONDS`."""
        group = min(self._groups, key=len)
        group.add(beat)
        try:
            yield
        finally:
            group.discard(beat)

    async def run(self) -> None:
        """Goes round for ever."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            for group in self._groups:
                due = max(due + HEARTBEAT_SECONDS / _GROUPS, loop.time())
                await asyncio.sleep(due - loop.time())
                for beat in group:
                    beat()
