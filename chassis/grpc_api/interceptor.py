"""One interceptor that leads every RPC of a server through the same layers, whatever its shape.

A layer is `async (call, proceed) -> response`: it may look at the call, refuse it, and act before and after
`await proceed()`. `chassis.grpc_api.server` stacks them; each has a module or a class of its own.
"""

from __future__ import annotations  # grpc's types are generic for the type checker only

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc
from py_grpc_prometheus import grpc_utils

from chassis.grpc_api.handlers import Context, Handler, Messages, body_of, handler_like, kind_of


@dataclass(slots=True)
class RpcCall:
    """One RPC: `kind` is UNARY, SERVER_STREAMING, CLIENT_STREAMING or BIDI_STREAMING.

    `code` is the name of the status it ended with, once `chassis.grpc_api.auth.map_errors` knows it.
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


CallNext = Callable[[], Awaitable[Any]]
Interceptor = Callable[[RpcCall, CallNext], Awaitable[Any]]


class InterceptorChain(grpc.aio.ServerInterceptor):
    """Leads each RPC through `layers`, outermost first, and knows what is in flight."""

    def __init__(self, layers: Sequence[Interceptor], messages: Messages) -> None:
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
        kind = kind_of(handler)
        body = body_of(handler, service, method, self._messages)

        async def run(request: Any, context: Context) -> Any:
            metadata = {k: v for k, v in context.invocation_metadata() or () if isinstance(v, str)}
            call = RpcCall(service, method, kind, context, metadata)
            call_next: CallNext = partial(body, request, context)
            if call.streams_responses:
                call_next = partial(self._until_draining, context, call_next)
            for layer in reversed(self._layers):
                call_next = partial(layer, call, call_next)
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 (grpc.aio runs handlers in tasks)
            self._in_flight.add(task)
            try:
                return await call_next()
            finally:
                self._in_flight.discard(task)

        return handler_like(handler, run)

    async def _until_draining(self, context: Context, call_next: CallNext) -> None:
        # First, and not with the first message: a cancelled first write would leave grpc unable to end the stream.
        await context.send_initial_metadata(())
        stream = asyncio.ensure_future(call_next())
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
