"""Traces: every request has a trace id; spans are recorded and exported only where an OTLP endpoint is set."""

from collections.abc import Mapping, MutableMapping

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

TRACEPARENT_KEY = "traceparent"
_w3c = TraceContextTextMapPropagator()  # and no baggage: anybody could fill it, and the log with what is wrong in it


class Tracing:
    """Makes the spans of one process, and carries their context in and out of headers and metadata."""

    def __init__(self, service: str, otlp_endpoint: str | None) -> None:
        sampler = ParentBased(ALWAYS_ON) if otlp_endpoint else ALWAYS_OFF
        self._provider = TracerProvider(sampler=sampler, resource=Resource.create({SERVICE_NAME: service}))
        if otlp_endpoint:
            self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=otlp_endpoint)))
        self.tracer = self._provider.get_tracer("taskmesh")

    def close(self) -> None:
        """Exports what is still waiting; takes no longer than the exporter's own time limit."""
        self._provider.shutdown()


def parent(carrier: Mapping[str, str]) -> context.Context:
    """The trace context that came in with a request; an empty one where `traceparent` is missing or malformed."""
    return _w3c.extract(carrier, context=context.Context())


def inject(carrier: MutableMapping[str, str]) -> None:
    """Adds the current span's trace context to what goes out."""
    _w3c.inject(carrier)


def traceparent() -> str:
    """The current span's context as a W3C traceparent, or an empty string outside a span."""
    carrier: dict[str, str] = {}
    _w3c.inject(carrier)
    return carrier.get(TRACEPARENT_KEY, "")


def exemplar() -> dict[str, str] | None:
    """The label by which a measurement names the current trace, or None where that is not recorded."""
    span = trace.get_current_span().get_span_context()
    return {"trace_id": trace.format_trace_id(span.trace_id)} if span.trace_flags.sampled else None


def trace_id() -> str | None:
    """The current span's trace id in hex, or None outside a span."""
    span = trace.get_current_span().get_span_context()
    return trace.format_trace_id(span.trace_id) if span.is_valid else None
