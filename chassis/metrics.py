"""The metrics registry of a process, and its /metrics endpoint.

A latency that is measured inside a sampled trace carries the trace id as an exemplar, which /metrics exposes in the
OpenMetrics format.
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
    """Return a registry with the metrics of this process: memory, file descriptors, CPU, garbage collection."""
    # OpenMetrics would add an unused `_created` series to each counter and histogram.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


@contextmanager
def serve_metrics(registry: CollectorRegistry, host: str, port: int) -> Iterator[None]:
    """Serve /metrics from a separate thread. Exits with status 1 and a message if the port is not available."""
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
    """The metrics of an event loop; `run` must keep running in that loop."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._tasks = Gauge("asyncio_tasks", "Running asyncio tasks.", registry=registry)
        self._lag = Histogram(
            "event_loop_lag_seconds",
            "Delay of the event loop, measured twice a second.",
            buckets=_LAG_BUCKETS,
            registry=registry,
        )

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        self._tasks.set_function(lambda: len(asyncio.all_tasks(loop)))
        while True:
            due = loop.time() + _LAG_INTERVAL_SECONDS
            await asyncio.sleep(_LAG_INTERVAL_SECONDS)
            self._lag.observe(max(0.0, loop.time() - due))
