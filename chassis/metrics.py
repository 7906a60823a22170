"""The metrics registry of a process, and the page /metrics.

A latency that was measured inside a sampled trace names the trace as an exemplar, which the page shows as OpenMetrics.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)


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
