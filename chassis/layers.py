"""One interceptor that leads every RPC of a server through the same layers, whatever its shape.

A layer is `async (call, proceed) -> response`: it may look at the call, refuse it, and act before and after
`await proceed()`. `chassis.server` stacks them; each has a module or a class of its own.
"""

from __future__ import annotations  # grpc's types are generic for the type checker only

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


@dataclass(slots=True)
class Call:
    """One RPC: `kind` is UNARY, SERVER_STREAMING, CLIENT_STREAMING or BIDI_STREAMING.

    `code` is the name of the status it ended with, once `chassis.guards.conclude` knows it.
    """

    service: str
    method: str
    kind: str
    context: Context
    metadata: dict[str, str]
    code: str = "UNKNOWN"

    @property
    def streams_responses(self) -> bool:
        """Whether the RPC answers with a stream, which lasts as long as its client wants."""
        return self.kind in (grpc_utils.SERVER_STREAMING, grpc_utils.BIDI_STREAMING)


Proceed = Callable[[], Awaitable[Any]]
Layer = Callable[[Call, Proceed], Awaitable[Any]]

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


class Layers(grpc.aio.ServerInterceptor):
    """Leads each RPC through `layers`, outermost first, and knows what is in flight."""

    def __init__(self, layers: Sequence[Layer], messages: Messages) -> None:
        self._layers = layers
        self._messages = messages
        self._handlers: dict[str, Handler] = {}
        self._in_flight: set[asyncio.Task[Any]] = set()
        self._draining = asyncio.Event()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Returns the method's handler with the layers around it, made once per method."""
        method = handler_call_details.method
        layered = self._handlers.get(method)
        if layered is None:
            handler = await continuation(handler_call_details)
            if handler is None:  # grpc answers UNIMPLEMENTED; not kept, or made-up names would fill the memory
                return None
            layered = self._handlers[method] = self._around(method, handler)
        return layered

    def end_streams(self) -> None:
        """Ends every stream, open or yet to come, with OK: its client resumes elsewhere."""
        self._draining.set()

    async def finished(self, within: float) -> bool:
        """Waits up to `within` seconds for the calls in flight; tells whether all have ended."""
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=within)
        return not self._in_flight

    def _around(self, path: str, handler: Handler) -> Handler:
        service, method = path.lstrip("/").split("/", 1)
        kind = grpc_utils.get_method_type(handler.request_streaming, handler.response_streaming)
        labels = (kind, service, method)
        body = _as_coroutine(
            handler, received=partial(self._messages.received, *labels), sent=partial(self._messages.sent, *labels)
        )

        async def run(request: Any, context: Context) -> Any:
            metadata = {k: v for k, v in context.invocation_metadata() or () if isinstance(v, str)}
            call = Call(service, method, kind, context, metadata)
            proceed: Proceed = partial(body, request, context)
            if call.streams_responses:
                proceed = partial(self._until_draining, context, proceed)
            for layer in reversed(self._layers):
                proceed = partial(layer, call, proceed)
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 (grpc.aio runs handlers in tasks)
            self._in_flight.add(task)
            try:
                return await proceed()
            finally:
                self._in_flight.discard(task)

        make: Callable[..., Handler] = _MAKE_HANDLER[handler.request_streaming, handler.response_streaming]
        return make(
            run,
            request_deserializer=None,  # done inside the layers, which turn what fails there into a status
            response_serializer=handler.response_serializer,
        )

    async def _until_draining(self, context: Context, proceed: Proceed) -> None:
        # First, and not with the first message: a cancelled first write would leave grpc unable to end the stream.
        await context.send_initial_metadata(())
        stream = asyncio.ensure_future(proceed())
        draining = asyncio.ensure_future(self._draining.wait())
        try:
            await asyncio.wait((stream, draining), return_when=asyncio.FIRST_COMPLETED)
        finally:
            draining.cancel()
            stream.cancel()
            # gather takes the error of a write to a client that has left, of which nobody needs to hear.
            await asyncio.gather(stream, return_exceptions=True)
        if not (stream.cancelled() and self._draining.is_set()):
            stream.result()


def _as_coroutine(
    handler: Handler, received: Callable[[], None], sent: Callable[[], None]
) -> Callable[[Any, Context], Awaitable[Any]]:
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
