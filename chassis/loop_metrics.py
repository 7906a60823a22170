"""The event loop of a process in numbers: how much is open on it, and how late it comes to what is due."""

import asyncio

from prometheus_client import CollectorRegistry, Gauge, Histogram

_EVERY_SECONDS = 0.5
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class LoopMetrics:
    """The families of a loop; `run` has to be kept running on it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._tasks = Gauge("asyncio_tasks", "Tasks of the event loop that have not ended.", registry=registry)
        self._lag = Histogram(
            "event_loop_lag_seconds",
            "How late the event loop was, looked at twice a second.",
            buckets=_BUCKETS,
            registry=registry,
        )

    async def run(self) -> None:
        """Looks again and again."""
        loop = asyncio.get_running_loop()
        self._tasks.set_function(lambda: len(asyncio.all_tasks(loop)))
        while True:
            due = loop.time() + _EVERY_SECONDS
            await asyncio.sleep(_EVERY_SECONDS)
            self._lag.observe(max(0.0, loop.time() - due))
