"""Metrics: the gRPC families of py-grpc-prometheus, counted by our own asyncio code, and their page.

py-grpc-prometheus defines the metrics; its interceptors are for threads only and grpc.aio refuses them. Every RPC is
counted once as started and once as handled, under the name of its status code (`grpc_code="NOT_FOUND"`). A latency that
was measured inside a sampled trace names it, as an exemplar, to whoever asks for the page as OpenMetrics.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)
from py_grpc_prometheus import client_metrics, server_metrics

from chassis import tracing
from chassis.layers import Call, Proceed


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


class ServerMetrics:
    """The layer around all that can end an RPC, inside its span: grpc_server_* by type, service, method and code."""

    def __init__(self, registry: CollectorRegistry) -> None:
        metrics: dict[str, Any] = server_metrics.init_metrics(registry)
        self._started = metrics["grpc_server_started_counter"]
        self._received = metrics["grpc_server_stream_msg_received"]
        self._sent = metrics["grpc_server_stream_msg_sent"]
        self._seconds = metrics["grpc_server_handled_histogram"]
        self._handled = server_metrics.get_grpc_server_handled_counter(False, registry)

    async def __call__(self, call: Call, proceed: Proceed) -> Any:
        """Counts one RPC, however it ends."""
        labels = (call.kind, call.service, call.method)
        self._started.labels(*labels).inc()
        begun = time.perf_counter()
        try:
            return await proceed()
        finally:
            self._handled.labels(*labels, call.code).inc()
            self._seconds.labels(*labels).observe(time.perf_counter() - begun, tracing.exemplar())

    def received(self, kind: str, service: str, method: str) -> None:
        """Counts a message from a client."""
        self._received.labels(kind, service, method).inc()

    def sent(self, kind: str, service: str, method: str) -> None:
        """Counts a message to a client."""
        self._sent.labels(kind, service, method).inc()


class ClientMetrics:
    """The grpc_client_* families, by type, service, method and code; fed by `chassis.client`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        metrics: dict[str, Any] = client_metrics.init_metrics(registry)
        self.started = metrics["grpc_client_started_counter"]
        self.handled = metrics["grpc_client_handled_counter"]
        self.seconds = metrics["grpc_client_handled_histogram"]
        self.received = metrics["grpc_client_stream_msg_received"]
        self.sent = metrics["grpc_client_stream_msg_sent"]
