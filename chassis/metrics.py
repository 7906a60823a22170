"""The metrics registry of a process, and the page /metrics.

A latency that was measured inside a sampled trace names the trace as an exemplar, which the page shows as OpenMetrics.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)

_LAG_INTERVAL_SECONDS = 0.5
_LAG_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def new_registry() -> CollectorRegistry:
    """A registry with the metrics of this process: memory, file descriptors, CPU, garbage collection."""
    # In OpenMetrics there would be a second series beside each counter, of use to nobody here.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


@contextmanager
def serve_metrics(registry: CollectorRegistry, host: str, port: int) -> Iterator[None]:
    """Serves /metrics from a thread of its own. Exits with status 1 and says why when the port cannot be had."""
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        sys.exit(f"cannot serve metrics on {host}:{port}: {error.strerror}")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class LoopMetrics:
    """The families of a loop; `run` has to be kept running on it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._tasks = Gauge("asyncio_tasks", "Running asyncio tasks.", registry=registry)
        self._lag = Histogram(
            "event_loop_lag_seconds",
            "Delay of the event loop, measured twice a second.",
            buckets=_LAG_BUCKETS,
            registry=registry,
        )

    async def run(self) -> None:
        """Looks again and again."""
        loop = asyncio.get_running_loop()
        self._tasks.set_function(lambda: len(asyncio.all_tasks(loop)))
        while True:
            due = loop.time() + _LAG_INTERVAL_SECONDS
            await asyncio.sleep(_LAG_INTERVAL_SECONDS)
            self._lag.observe(max(0.0, loop.time() - due))
