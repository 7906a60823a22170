"""Channels to other services of the mesh, with deadlines, retries, identity, trace and metrics on every call."""

import json
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeAlias

import grpc
from opentelemetry import trace
from prometheus_client import CollectorRegistry
from py_grpc_prometheus import client_metrics, grpc_utils

from chassis import identity, tracing
from chassis.grpc_api import deadlines
from chassis.grpc_api.channel_options import CLIENT_OPTIONS
from chassis.grpc_api.error_mapping import code_name
from chassis.grpc_api.reopening_channel import ReopeningChannel

Metadata: TypeAlias = tuple[tuple[str, str], ...]
UnaryCall = Callable[..., Coroutine[Any, Any, Any]]

_RETRY_POLICY = {
    "maxAttempts": 4,
    "initialBackoff": "0.1s",
    "maxBackoff": "1s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}


def service_config(retried: Mapping[str, Sequence[str]], *, package: str | None = None) -> str:
    """Return a channel's service config (gRFC A2, A6, A17). `retried` lists, by service, the methods to retry.

    Methods are retried on UNAVAILABLE, so list only those that are safe to repeat. Retries stop while many calls fail,
    so that they do not overload the server.

    `package` is the server's proto package. If it is set, the channel watches its health on each replica and sends
    calls only to healthy replicas. So a replica gets no new calls from half a second before it stops. Otherwise those
    calls would be cancelled, and the client could not know whether they had begun. A different service that has taken
    over the address gets no calls either. A client that makes a single call does not need `package`.
    """
    names = [{"service": service, "method": method} for service, methods in retried.items() for method in methods]
    return json.dumps(
        {
            "loadBalancingConfig": [{"round_robin": {}}],
            **({"healthCheckConfig": {"serviceName": package}} if package else {}),
            "methodConfig": [{"name": names, "retryPolicy": _RETRY_POLICY}],
            "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1},
        }
    )


class ClientMetrics:
    """The grpc_client_* metrics, with the labels type, service, method and code."""

    def __init__(self, registry: CollectorRegistry) -> None:
        metrics: dict[str, Any] = client_metrics.init_metrics(registry)
        self.started = metrics["grpc_client_started_counter"]
        self.handled = metrics["grpc_client_handled_counter"]
        self.seconds = metrics["grpc_client_handled_histogram"]
        self.received = metrics["grpc_client_stream_msg_received"]
        self.sent = metrics["grpc_client_stream_msg_sent"]
        self.of_one_call = (self.started, self.sent, self.received, self.seconds)


class ClientInterceptor:
    """Sets the deadline and the metadata of every outgoing unary call, and records a span and metrics for it.

    It is not one of grpc.aio's interceptors, which run each call in a task of their own.
    """

    def __init__(
        self, metrics: ClientMetrics, tracer: trace.Tracer, tokens: identity.MeshTokens, default_seconds: float
    ) -> None:
        self.metrics = metrics
        self._tracer = tracer
        self._token = tokens.outgoing
        self._default_seconds = default_seconds

    def unary_unary(self, path: str, start: Callable[..., Awaitable[Any]]) -> UnaryCall:
        """Return a coroutine function for the method at `path`, whose calls `start` starts.

        It makes each call in its own span, with the deadline and the user of the current request.
        """
        name = path.lstrip("/")
        labels = (grpc_utils.UNARY, *name.split("/", 1))
        started, sent, received, seconds = (metric.labels(*labels) for metric in self.metrics.of_one_call)

        async def call(
            request: Any,
            *,
            timeout: float | None = None,
            metadata: Metadata = (),
            wait_for_ready: bool | None = None,
        ) -> Any:
            with self._tracer.start_as_current_span(name, kind=trace.SpanKind.CLIENT) as span:
                started.inc()
                sent.inc()
                begun = time.perf_counter()
                code = "CANCELLED"
                try:
                    response = await start(
                        request,
                        timeout=self._seconds(timeout),
                        metadata=self.metadata(metadata),
                        wait_for_ready=wait_for_ready,
                    )
                    code = "OK"
                    received.inc()
                    return response
                except grpc.aio.AioRpcError as error:
                    code = code_name(error.code())
                    raise
                finally:
                    span.set_attribute("rpc.grpc.status_code", code)
                    self.metrics.handled.labels(*labels, code).inc()
                    seconds.observe(time.perf_counter() - begun, tracing.exemplar())

        return call

    def _seconds(self, timeout: float | None) -> float:
        seconds = timeout if timeout is not None else self._default_seconds
        remaining = deadlines.remaining()
        return seconds if remaining is None else max(0.0, min(seconds, remaining))

    def metadata(self, given: Metadata = ()) -> Metadata:
        """Return `given` plus the mesh token and the current request's user, id and trace context."""
        headers: dict[str, str] = {}
        tracing.inject(headers)
        if self._token is not None:
            headers[identity.TOKEN_KEY] = self._token
        if (user := identity.current_user()) is not None:
            headers[identity.USER_KEY] = user
        if (request_id := identity.current_request_id()) is not None:
            headers[identity.REQUEST_ID_KEY] = request_id
        return (*given, *headers.items())


OpenChannel = Callable[[str, str, ClientInterceptor], grpc.aio.Channel]
"""`open_channel`, or a function that takes the same arguments."""


def open_channel(target: str, config: str, calls: ClientInterceptor) -> grpc.aio.Channel:
    """Open a channel to `target` with the service config `config`. The caller closes it when the process ends.

    `target` is host:port or another gRPC target, such as `ipv4:10.0.0.1:50051,10.0.0.2:50051`. Calls are distributed
    over all available addresses. Open one channel per target and process: it reconnects automatically, and all its
    calls share one connection to each address.
    """
    options = (*CLIENT_OPTIONS, ("grpc.service_config", config))
    return ReopeningChannel(lambda: grpc.aio.insecure_channel(target, options=options), calls.unary_unary)
