"""Tracing: every request has a trace id; spans are recorded and exported only if an OTLP endpoint is set."""

import threading
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING

from opentelemetry import context, trace
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

TRACEPARENT_KEY = "traceparent"
CLOSE_SECONDS = 2.0
"""The time limit of the last export, which counts towards the time that a process needs to stop."""
_w3c = TraceContextTextMapPropagator()  # no baggage: any client could fill it, and errors in it would fill the log


class Tracing:
    """The tracer of one process and its export; the functions below pass trace context through headers and metadata."""

    def __init__(self, service: str, otlp_endpoint: str | None) -> None:
        sampler = ParentBased(ALWAYS_ON) if otlp_endpoint else ALWAYS_OFF
        self._provider = TracerProvider(sampler=sampler, resource=Resource.create({SERVICE_NAME: service}))
        self._exporter = _exporter(otlp_endpoint) if otlp_endpoint else None
        if self._exporter:
            self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self.tracer = self._provider.get_tracer("taskmesh")

    def close(self) -> None:
        """Export the spans that are still waiting, within `CLOSE_SECONDS`."""
        if self._exporter is None:
            return
        # The provider waits up to 30 s for an export. It ends when the exporter is closed.
        limit = threading.Timer(CLOSE_SECONDS, self._exporter.shutdown)
        limit.start()
        self._provider.shutdown()
        limit.cancel()


def _exporter(endpoint: str) -> "OTLPSpanExporter":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # takes 4 MB of memory

    return OTLPSpanExporter(endpoint=endpoint)


def parent(carrier: Mapping[str, str]) -> context.Context:
    """Return the trace context of an incoming request; empty if its `traceparent` is missing or malformed."""
    return _w3c.extract(carrier, context=context.Context())


def inject(carrier: MutableMapping[str, str]) -> None:
    """Add the current span's trace context to outgoing headers or metadata."""
    _w3c.inject(carrier)


def traceparent() -> str:
    """Return the current span's context as a W3C traceparent, or an empty string outside a span."""
    carrier: dict[str, str] = {}
    _w3c.inject(carrier)
    return carrier.get(TRACEPARENT_KEY, "")


def exemplar() -> dict[str, str] | None:
    """Return the exemplar labels that name the current trace, or None if the trace is not recorded."""
    span = trace.get_current_span().get_span_context()
    return {"trace_id": trace.format_trace_id(span.trace_id)} if span.trace_flags.sampled else None


def trace_id() -> str | None:
    """Return the current span's trace id in hex, or None outside a span."""
    span = trace.get_current_span().get_span_context()
    return trace.format_trace_id(span.trace_id) if span.is_valid else None
