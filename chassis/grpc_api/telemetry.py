"""The interceptors for the telemetry of a call: its metrics, request id, span, and one log line when it ends.

py-grpc-prometheus defines the metrics, but its interceptors do not support grpc.aio. Each RPC is counted once as
started, and once as handled under the name of its status code (`grpc_code="NOT_FOUND"`).
"""

import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Any

import structlog
from opentelemetry import trace
from prometheus_client import CollectorRegistry
from py_grpc_prometheus import server_metrics

from chassis import identity, tracing
from chassis.grpc_api.auth import HEALTH
from chassis.grpc_api.documented_codes import documented_codes
from chassis.grpc_api.interceptor import CallNext, RpcCall

_log = structlog.get_logger("rpc")
_SERVER_FAULTS = frozenset({"UNKNOWN", "INTERNAL", "DATA_LOSS", "UNIMPLEMENTED"})


class Telemetry:
    """Adds request_id and trace_id to all log lines of a call, and logs the call itself."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    async def __call__(self, call: RpcCall, call_next: CallNext) -> Any:
        """Run one RPC inside its span. Health checks are logged at level debug, errors of the service at error."""
        structlog.contextvars.clear_contextvars()
        request_id = identity.set_request_id(call.metadata.get(identity.REQUEST_ID_KEY))
        with self._span(call) as span:
            structlog.contextvars.bind_contextvars(request_id=request_id, trace_id=tracing.trace_id())
            begun = time.perf_counter()
            try:
                return await call_next()
            finally:
                span.set_attribute("rpc.grpc.status_code", call.code)
                if call.code in _SERVER_FAULTS:
                    span.set_status(trace.StatusCode.ERROR, call.code)
                _write_line(call, time.perf_counter() - begun)

    def _span(self, call: RpcCall) -> AbstractContextManager[trace.Span]:
        if call.service == HEALTH and call.streams_responses:  # open while the client is connected, then CANCELLED
            return trace.use_span(trace.INVALID_SPAN)
        return self._tracer.start_as_current_span(
            f"{call.service}/{call.method}",
            context=tracing.parent(call.metadata),
            kind=trace.SpanKind.SERVER,
            attributes={"rpc.system": "grpc", "rpc.service": call.service, "rpc.method": call.method},
            record_exception=False,
            set_status_on_exception=False,
        )


def _write_line(call: RpcCall, seconds: float) -> None:
    write = _log.info
    if call.code in _SERVER_FAULTS:
        write = _log.error
    elif call.service == HEALTH:
        write = _log.debug
    write(
        "rpc",
        method=f"{call.service}/{call.method}",
        code=call.code,
        duration=round(seconds, 6),
        user=identity.current_user(),
    )


class ServerMetrics:
    """The grpc_server_* metrics by type, service, method and code; must run inside the span of the RPC.

    The counters of the documented results of `services` start at 0, so that Prometheus sees the first increase.
    """

    def __init__(self, registry: CollectorRegistry, services: Collection[str] = ()) -> None:
        metrics: dict[str, Any] = server_metrics.init_metrics(registry)
        self._started = metrics["grpc_server_started_counter"]
        self._received = metrics["grpc_server_stream_msg_received"]
        self._sent = metrics["grpc_server_stream_msg_sent"]
        self._seconds = metrics["grpc_server_handled_histogram"]
        self._handled = server_metrics.get_grpc_server_handled_counter(False, registry)
        for service in services:
            for *labels, code in documented_codes(service):
                self._started.labels(*labels)
                self._handled.labels(*labels, code)

    async def __call__(self, call: RpcCall, call_next: CallNext) -> Any:
        """Run and count one RPC, however it ends."""
        labels = (call.kind, call.service, call.method)
        self._started.labels(*labels).inc()
        begun = time.perf_counter()
        try:
            return await call_next()
        finally:
            self._handled.labels(*labels, call.code).inc()
            self._seconds.labels(*labels).observe(time.perf_counter() - begun, tracing.exemplar())

    def message_counters(self, kind: str, service: str, method: str) -> tuple[Callable[[], None], Callable[[], None]]:
        """Return the functions that count a message from a client, and a message to a client."""
        labels = (kind, service, method)
        return self._received.labels(*labels).inc, self._sent.labels(*labels).inc
