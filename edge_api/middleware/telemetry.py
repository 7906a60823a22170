"""The outermost layer: it makes a request visible by its id, its span, its metrics and one log line."""

import time
from contextlib import nullcontext
from typing import Any

import structlog
from opentelemetry import trace
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import identity, tracing
from chassis.grpc_api import deadlines
from edge_api.http_metrics import HttpMetrics
from edge_api.routes.events import PATH as EVENTS
from edge_api.routes.health import PROBES

_log = structlog.get_logger("http")
_LONGEST_PATH = 200


class Observe:
    """Gives each request its id, trace and deadline, adds the headers that every answer has, and writes it down."""

    def __init__(self, app: ASGIApp, metrics: HttpMetrics, tracer: trace.Tracer, timeout_seconds: float) -> None:
        self._app = app
        self._metrics = metrics
        self._tracer = tracer
        self._timeout_seconds = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs one request, however it ends."""
        headers = Headers(scope=scope)
        # A pipelined request begins in the context of the one before it, so all of this is set anew.
        structlog.contextvars.clear_contextvars()
        identity.set_user(None)
        request_id = identity.set_request_id(headers.get(identity.REQUEST_ID_KEY))
        deadlines.set_remaining(self._timeout_seconds)
        answer = _Answer(send, request_id)
        begun = time.perf_counter()
        lasts = scope["path"] == EVENTS
        in_flight = nullcontext() if lasts else self._metrics.in_flight.track_inprogress()
        with self._span(scope, headers) as span, in_flight:
            structlog.contextvars.bind_contextvars(request_id=request_id, trace_id=tracing.trace_id())
            try:
                await self._app(scope, receive, answer)
            finally:
                seconds, route = time.perf_counter() - begun, _template(scope)
                span.update_name(f"{scope['method']} {route}")
                span.set_attributes({"http.route": route, "http.response.status_code": answer.status})
                self._metrics.count(scope["method"], route, answer.status, None if lasts else seconds)
                _write_line(scope, route, answer.status, seconds)

    def _span(self, scope: Scope, headers: Headers) -> Any:
        return self._tracer.start_as_current_span(
            scope["method"],
            context=tracing.parent(dict(headers)),
            kind=trace.SpanKind.SERVER,
            attributes={"http.request.method": scope["method"]},
            record_exception=False,
        )


class _Answer:
    """Sends an answer on; `status` is 500 until it has begun, for that is what the client then sees."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.status = 500

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
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
