"""Wraps the four kinds of gRPC handlers as one: a coroutine that takes the request's bytes and a context.

Response streams are written with `context.write`, so one coroutine serves them too. `interceptor` runs the coroutine
inside its interceptors, behind a handler of the original kind.
"""

from __future__ import annotations  # grpc's types are generic for the type checker only

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
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
    """Is told of each message of an RPC, but for streams that call `context.write` themselves, like Health.Watch."""

    def received(self, kind: str, service: str, method: str) -> None:
        """The client sent a message."""

    def sent(self, kind: str, service: str, method: str) -> None:
        """The server sent a message."""


def kind_of(handler: Handler) -> str:
    """UNARY, SERVER_STREAMING, CLIENT_STREAMING or BIDI_STREAMING."""
    kind: str = grpc_utils.get_method_type(handler.request_streaming, handler.response_streaming)
    return kind


def handler_like(handler: Handler, body: Body) -> Handler:
    """A handler of the same shape that runs `body` on what the client sent, not yet decoded."""
    make: Callable[..., Handler] = _MAKE_HANDLER[handler.request_streaming, handler.response_streaming]
    return make(body, request_deserializer=None, response_serializer=handler.response_serializer)


def body_of(handler: Handler, service: str, method: str, messages: Messages) -> Body:
    """What a handler does, as one coroutine; bytes that are not the method's message raise InvalidInput."""
    labels = (kind_of(handler), service, method)
    received, sent = partial(messages.received, *labels), partial(messages.sent, *labels)
    function: Any = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream

    async def each(requests: AsyncIterator[bytes]) -> AsyncIterator[Any]:
        async for request in requests:
            yield read(request)

    def read(request: bytes) -> Any:
        received()
        return _decoded(handler, request)

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
        violation = Violation("", "The bytes of the request are not the message that the method takes.")
        raise InvalidInput(violation, reason="MALFORMED_MESSAGE") from None
