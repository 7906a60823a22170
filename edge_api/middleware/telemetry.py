"""The outermost middleware: request id, span, metrics and log line, and a 500 for unexpected errors."""

import time
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import structlog
from opentelemetry import trace
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import identity, tracing
from chassis.grpc_api import deadlines
from edge_api import problems
from edge_api.routes.events import PATH as EVENTS
from edge_api.routes.health import PROBES

_log = structlog.get_logger("http")
_LONGEST_PATH = 200
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class HttpMetrics:
    """The metrics of requests. Labels contain route templates, so unknown paths create no series.

    `paths` of the OpenAPI document lists the responses whose counters start at 0, so that Prometheus sees the first
    increase.
    """

    def __init__(self, registry: CollectorRegistry, paths: Mapping[str, Any] | None = None) -> None:
        self.in_flight = Gauge("http_requests_in_flight", "Requests in progress.", registry=registry)
        self._requests = Counter(
            "http_requests_total", "Finished requests.", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "http_request_duration_seconds", "Duration of requests.", ["method", "route"], registry=registry
        )
        for route, operations in (paths or {}).items():
            for method, operation in operations.items():
                for status in operation["responses"]:
                    self._requests.labels(method.upper(), route, status)

    def count(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """Count one finished request; `seconds` is None for event streams, whose duration the client decides."""
        known = method if method in _METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        if seconds is not None:
            self._seconds.labels(known, route).observe(seconds, tracing.exemplar())


class Telemetry:
    """Sets the id, trace and deadline of each request, and adds the headers of every response."""

    def __init__(self, app: ASGIApp, metrics: HttpMetrics, tracer: trace.Tracer, timeout_seconds: float) -> None:
        self._app = app
        self._metrics = metrics
        self._tracer = tracer
        self._timeout_seconds = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request, and record how it ends."""
        headers = Headers(scope=scope)
        # A pipelined request starts in the context of the previous one, so everything is reset.
        structlog.contextvars.clear_contextvars()
        identity.set_user(None)
        request_id = identity.set_request_id(headers.get(identity.REQUEST_ID_KEY))
        deadlines.set_remaining(self._timeout_seconds)
        response = _Response(send, request_id)
        begun = time.perf_counter()
        lasts = scope["path"] == EVENTS
        in_flight = nullcontext() if lasts else self._metrics.in_flight.track_inprogress()
        with self._span(scope, headers) as span, in_flight:
            structlog.contextvars.bind_contextvars(request_id=request_id, trace_id=tracing.trace_id())
            try:
                await self._app(scope, receive, response)
            except Exception:
                _log.exception("unexpected error")
                if not response.has_begun:
                    await problems.internal().response()(scope, receive, response)
            finally:
                seconds, route = time.perf_counter() - begun, _template(scope)
                span.update_name(f"{scope['method']} {route}")
                span.set_attributes({"http.route": route, "http.response.status_code": response.status})
                self._metrics.count(scope["method"], route, response.status, None if lasts else seconds)
                _write_line(scope, route, response.status, seconds)

    def _span(self, scope: Scope, headers: Headers) -> Any:
        return self._tracer.start_as_current_span(
            scope["method"],
            context=tracing.parent(headers),
            kind=trace.SpanKind.SERVER,
            attributes={"http.request.method": scope["method"]},
            record_exception=False,
        )


class _Response:
    """Forwards a response and adds headers; `status` is 500 until the response has begun."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.status = 500
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            self.status = message["status"]
            headers = MutableHeaders(raw=message["headers"])
            headers["X-Request-ID"] = self._request_id
            headers["X-Content-Type-Options"] = "nosniff"
            headers.setdefault("Cache-Control", "no-store")
        await self._send(message)


def _template(scope: Scope) -> str:
    return getattr(scope.get("route"), "path_format", "unmatched")


def _write_line(scope: Scope, route: str, status: int, seconds: float) -> None:
    write = _log.error if status == 500 else _log.debug if scope["path"] in PROBES else _log.info
    write(
        "request",
        method=scope["method"],
        route=route,
        path=scope["path"][:_LONGEST_PATH],
        status=status,
        duration=round(seconds, 6),
        user=identity.current_user(),
    )
