"""The layer that makes a request visible: its id, its span, and one log line when it ends."""

import time
from typing import Any

import structlog
from opentelemetry import trace

from chassis import identity, tracing
from chassis.layers import Call, Proceed

_log = structlog.get_logger("rpc")
_QUIET_SERVICES = frozenset({"grpc.health.v1.Health"})
_SERVER_FAULTS = frozenset({"UNKNOWN", "INTERNAL", "DATA_LOSS", "UNIMPLEMENTED"})


class Observe:
    """Binds request_id, trace_id and user to everything that is logged during a call, and logs the call itself."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    async def __call__(self, call: Call, proceed: Proceed) -> Any:
        """Runs one RPC inside its span; health checks log at debug, faults of the service at error."""
        structlog.contextvars.clear_contextvars()
        request_id = identity.set_request_id(call.metadata.get(identity.REQUEST_ID_KEY))
        with self._tracer.start_as_current_span(
            f"{call.service}/{call.method}",
            context=tracing.parent(call.metadata),
            kind=trace.SpanKind.SERVER,
            attributes={"rpc.system": "grpc", "rpc.service": call.service, "rpc.method": call.method},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            structlog.contextvars.bind_contextvars(request_id=request_id, trace_id=tracing.trace_id())
            begun = time.perf_counter()
            try:
                return await proceed()
            finally:
                span.set_attribute("rpc.grpc.status_code", call.code)
                if call.code in _SERVER_FAULTS:
                    span.set_status(trace.StatusCode.ERROR, call.code)
                _write_line(call, time.perf_counter() - begun)


def _write_line(call: Call, seconds: float) -> None:
    write = _log.info
    if call.code in _SERVER_FAULTS:
        write = _log.error
    elif call.service in _QUIET_SERVICES:
        write = _log.debug
    write(
        "rpc",
        method=f"{call.service}/{call.method}",
        code=call.code,
        duration=round(seconds, 6),
        user=identity.current_user(),
    )
