"""An OTLP receiver in place of Tempo that records the exported spans."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from tests.support.ports import free_port


@dataclass(frozen=True)
class Span:
    """The fields of a span that tests use."""

    service: str
    name: str
    trace_id: str


@dataclass
class SpanSink(trace_service_pb2_grpc.TraceServiceServicer):
    """The received spans, in any order; `endpoint` is the value for OTEL_EXPORTER_OTLP_ENDPOINT."""

    endpoint: str
    spans: list[Span] = field(default_factory=list)

    def Export(self, request: trace_service_pb2.ExportTraceServiceRequest, _context: grpc.ServicerContext) -> object:
        for resource in request.resource_spans:
            names = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans.append(Span(names["service.name"], span.name, span.trace_id.hex()))
        return trace_service_pb2.ExportTraceServiceResponse()

    def of(self, trace_id: str) -> list[Span]:
        """Return the spans of a trace."""
        return [span for span in self.spans if span.trace_id == trace_id]


@contextmanager
def span_sink() -> Iterator[SpanSink]:
    """Run a receiver while the block runs."""
    port = free_port()
    sink = SpanSink(f"http://127.0.0.1:{port}")
    server = grpc.server(ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(sink, server)  # type: ignore[no-untyped-call]
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    try:
        yield sink
    finally:
        server.stop(None).wait()
