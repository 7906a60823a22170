"""The server interceptor: runs every RPC, of any kind, inside the same chain of interceptors.

An interceptor is `async (call, call_next) -> response`: it can inspect or refuse the call, and act before and after
`await call_next()`. `server` builds the chain. The four kinds of handlers are converted to one: a coroutine that takes
the bytes of the request and writes a response stream with `context.write`.
"""

from __future__ import annotations  # grpc's types are generic only for the type checker

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from inspect import isasyncgenfunction, unwrap
from typing import Any, Protocol, TypeAlias

import grpc
from google.protobuf.message import DecodeError
from py_grpc_prometheus import grpc_utils

from chassis.errors import InvalidInput, Violation

Context = grpc.aio.ServicerContext[Any, Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Body = Callable[[Any, Context], Awaitable[Any]]

_MAKE_HANDLER = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


class Messages(Protocol):
    """Counts each message of an RPC, except in streams that call `context.write` themselves, such as Health.Watch."""

    def message_counters(self, kind: str, service: str, method: str) -> tuple[Callable[[], None], Callable[[], None]]:
        """Return the functions that count a message from the client, and a message to the client."""


@dataclass(slots=True)
class RpcCall:
    """One RPC: `kind` is UNARY, SERVER_STREAMING, CLIENT_STREAMING or BIDI_STREAMING.

    `code` is the name of the final status; `chassis.grpc_api.error_mapping.map_errors` sets it.
    """

    service: str
    method: str
    kind: str
    context: Context
    metadata: dict[str, str]
    code: str = "UNKNOWN"

    @property
    def streams_responses(self) -> bool:
        """Whether the response is a stream, which lasts as long as the client wants."""
        return self.kind in (grpc_utils.SERVER_STREAMING, grpc_utils.BIDI_STREAMING)


CallNext = Callable[[], Awaitable[Any]]
Interceptor = Callable[[RpcCall, CallNext], Awaitable[Any]]


class InterceptorChain(grpc.aio.ServerInterceptor):
    """Runs each RPC inside the interceptors, the first one outermost, and tracks the calls in flight."""

    def __init__(self, interceptors: Sequence[Interceptor], messages: Messages) -> None:
        self._interceptors = interceptors
        self._messages = messages
        self._handlers: dict[str, Handler] = {}
        self._in_flight: set[asyncio.Task[Any]] = set()
        self._draining = asyncio.Event()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Return the method's handler inside the interceptors; it is built once per method."""
        method = handler_call_details.method
        wrapped = self._handlers.get(method)
        if wrapped is None:
            handler = await continuation(handler_call_details)
            if handler is None:  # UNIMPLEMENTED by grpc; not cached, or invented names would fill the memory
                return None
            wrapped = self._handlers[method] = self._around(method, handler)
        return wrapped

    def end_streams(self) -> None:
        """End all current and future streams with OK, so that their clients resume on another replica."""
        self._draining.set()

    async def finished(self, within: float) -> bool:
        """Wait up to `within` seconds for the calls in flight; return whether all have ended."""
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=within)
        return not self._in_flight

    def _around(self, path: str, handler: Handler) -> Handler:
        service, method = path.lstrip("/").split("/", 1)
        kind = _kind_of(handler)
        body = _body_of(handler, service, method, self._messages)

        async def run(request: Any, context: Context) -> Any:
            metadata = {k: v for k, v in context.invocation_metadata() or () if isinstance(v, str)}
            call = RpcCall(service, method, kind, context, metadata)
            call_next: CallNext = partial(body, request, context)
            if call.streams_responses:
                call_next = partial(self._until_draining, context, call_next)
            for interceptor in reversed(self._interceptors):
                call_next = partial(interceptor, call, call_next)
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 (grpc.aio runs handlers in tasks)
            self._in_flight.add(task)
            try:
                return await call_next()
            finally:
                self._in_flight.discard(task)

        return _handler_like(handler, run)

    async def _until_draining(self, context: Context, call_next: CallNext) -> None:
        # Before the first message: if its write were cancelled, grpc could not end the stream.
        await context.send_initial_metadata(())
        stream = asyncio.ensure_future(call_next())
        draining = asyncio.ensure_future(self._draining.wait())
        try:
            await asyncio.wait((stream, draining), return_when=asyncio.FIRST_COMPLETED)
        finally:
            draining.cancel()
            stream.cancel()
            # gather also swallows the error of a write to a client that has left.
            await asyncio.gather(stream, return_exceptions=True)
        if not (stream.cancelled() and self._draining.is_set()):
            stream.result()


def _kind_of(handler: Handler) -> str:
    """Return UNARY, SERVER_STREAMING, CLIENT_STREAMING or BIDI_STREAMING."""
    kind: str = grpc_utils.get_method_type(handler.request_streaming, handler.response_streaming)
    return kind


def _handler_like(handler: Handler, body: Body) -> Handler:
    """Return a handler of the same kind that runs `body` on the undecoded request."""
    make: Callable[..., Handler] = _MAKE_HANDLER[handler.request_streaming, handler.response_streaming]
    return make(body, request_deserializer=None, response_serializer=handler.response_serializer)


def _body_of(handler: Handler, service: str, method: str, messages: Messages) -> Body:
    """Return a handler as one coroutine, which raises InvalidInput if a request cannot be decoded."""
    received, sent = messages.message_counters(_kind_of(handler), service, method)
    function: Any = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream

    def read(request: bytes) -> Any:
        received()
        return _decoded(handler, request)

    async def each(requests: AsyncIterator[bytes]) -> AsyncIterator[Any]:
        async for request in requests:
            yield read(request)

    def incoming(request: Any) -> Any:
        return each(request) if handler.request_streaming else read(request)

    async def respond(request: Any, context: Context) -> Any:
        response = await function(incoming(request), context)
        if response is not None:
            sent()
        return response

    async def stream(request: Any, context: Context) -> None:
        async with aclosing(function(incoming(request), context)) as responses:
            async for response in responses:
                await context.write(response)
                sent()

    return stream if isasyncgenfunction(unwrap(function)) else respond


def _decoded(handler: Handler, data: bytes) -> Any:
    if handler.request_deserializer is None:
        return data
    try:
        return handler.request_deserializer(data)
    except (DecodeError, ValueError):
        violation = Violation("", "The request cannot be decoded as the request message of this method.")
        raise InvalidInput(violation, reason="MALFORMED_MESSAGE") from None
