"""gRPC calls between channels and servers of one process, without a connection.

`Network.server` and `Network.open_channel` replace `grpc.aio.server` and `chassis.grpc_api.client.open_channel`. A call
passes the interceptors of both sides. Its handler runs in its own task and context, so it knows the caller only from
the metadata. Messages are serialized, which takes microseconds: so the two sides never share one.

Calls are not retried, and `wait_for_ready` is ignored: the servers are available for as long as the channels.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, Self, cast

import grpc

from chassis.grpc_api.client import ClientInterceptor

Metadata = tuple[tuple[str, str | bytes], ...]
Find = Callable[[grpc.HandlerCallDetails], Awaitable[Any]]


class Network:
    """The servers of this process, by address."""

    def __init__(self) -> None:
        self._servers: dict[str, _Server] = {}

    def server(self, **given: Any) -> grpc.aio.Server:
        """Return a server that takes calls of this process and, as `grpc.aio.server`, of others."""
        return cast(grpc.aio.Server, _Server(self._servers, **given))

    def open_channel(self, target: str, _config: str, calls: ClientInterceptor) -> grpc.aio.Channel:
        """Return a channel to the server whose address is `target`."""
        return cast(grpc.aio.Channel, _Channel(partial(self._servers.get, target), calls))


class _Server:
    """A server of gRPC that also runs calls of this process."""

    def __init__(
        self, servers: "dict[str, _Server]", interceptors: Sequence[grpc.aio.ServerInterceptor], **given: Any
    ) -> None:
        self._servers = servers
        self._grpc = grpc.aio.server(interceptors=interceptors, **given)
        self._services: list[grpc.GenericRpcHandler] = []
        self._find: Find = self._registered
        for interceptor in reversed(interceptors):
            self._find = partial(interceptor.intercept_service, self._find)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._grpc, name)

    def add_generic_rpc_handlers(self, services: Sequence[grpc.GenericRpcHandler]) -> None:
        self._services += services
        self._grpc.add_generic_rpc_handlers(services)

    def add_insecure_port(self, address: str) -> int:
        port = self._grpc.add_insecure_port(address)
        self._servers[address] = self
        return port

    async def run(self, method: str, request: bytes, context: "_Context") -> bytes:
        """Run a handler of `InterceptorChain`, which takes bytes and writes the messages of a stream to the context."""
        handler = await self._find(_CallDetails(method, context.invocation_metadata()))
        if handler is None:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{method} is not a method of this server.")
        context.serialize = handler.response_serializer
        if handler.response_streaming:
            await handler.unary_stream(request, context)
            return b""
        return context.serialize(await handler.unary_unary(request, context))

    async def _registered(self, details: grpc.HandlerCallDetails) -> Any:
        return next((handler for each in self._services if (handler := each.service(details))), None)


@dataclass(frozen=True)
class _CallDetails(grpc.HandlerCallDetails):
    method: str
    invocation_metadata: Metadata


@dataclass(frozen=True)
class _Status:
    code: grpc.StatusCode
    details: str = ""
    trailing_metadata: Metadata = ()


class _Context:
    """The server's side of a call: the methods of `grpc.aio.ServicerContext` that servicers and interceptors use."""

    serialize: Callable[[Any], bytes]

    def __init__(self, metadata: Metadata, seconds: float | None) -> None:
        self._metadata = metadata
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self.messages: asyncio.Queue[Any] = asyncio.Queue()
        self.status = _Status(grpc.StatusCode.OK)

    def invocation_metadata(self) -> Metadata:
        return self._metadata

    def time_remaining(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def code(self) -> grpc.StatusCode:
        return self.status.code

    async def send_initial_metadata(self, _metadata: Metadata) -> None:
        """Do nothing: no client reads it."""

    async def write(self, message: Any) -> None:
        """Send a message of the stream, and wait until the client has read it."""
        self.messages.put_nowait(self.serialize(message))
        await self.messages.join()

    async def abort(self, code: grpc.StatusCode, details: str = "", trailing_metadata: Metadata = ()) -> NoReturn:
        self.status = _Status(code, details, trailing_metadata)
        raise grpc.aio.AbortError(details)


class _Call:
    """The client's side of a call: the methods of `grpc.aio.Call` that `ClientInterceptor` and `client_streams` use."""

    def __init__(
        self,
        run: Callable[[_Context], Awaitable[bytes]],
        decode: Callable[[bytes], Any],
        metadata: Metadata,
        seconds: float | None,
    ) -> None:
        self._decode = decode
        self._ended = asyncio.Event()
        self._context = _Context(metadata, seconds)
        self._task = asyncio.create_task(self._run(run), context=Context())
        self._timer: asyncio.TimerHandle | None = None
        if seconds is not None and seconds <= 0:
            self._expire()
        elif seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._expire)

    async def code(self) -> grpc.StatusCode:
        """Wait for the end of the call."""
        await self._ended.wait()
        return self._status.code

    def cancel(self) -> None:
        """End the call and cancel its handler."""
        self._end(_Status(grpc.StatusCode.CANCELLED, "The client cancelled the call."))
        self._task.cancel()

    def __await__(self) -> Generator[Any, None, Any]:
        try:
            yield from self._ended.wait().__await__()
        except asyncio.CancelledError:
            self.cancel()
            raise
        self._raise_error()
        return self._decode(self._response)

    async def read(self) -> Any:
        """Return the next message of the stream, or EOF. Raises AioRpcError if the stream ended with an error."""
        message = await self._context.messages.get()
        if message is grpc.aio.EOF:
            self._context.messages.put_nowait(message)
            self._raise_error()
            return message
        self._context.messages.task_done()
        return self._decode(message)

    async def _run(self, run: Callable[[_Context], Awaitable[bytes]]) -> None:
        status = _Status(grpc.StatusCode.UNKNOWN, "The handler failed.")
        try:
            self._response = await run(self._context)
            status = self._context.status
        except grpc.aio.AbortError:
            status = self._context.status
        except asyncio.CancelledError:
            status = _Status(grpc.StatusCode.CANCELLED, "The server cancelled the call.")
            raise
        finally:
            self._end(status)

    def _expire(self) -> None:
        self._end(_Status(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded"))
        self._task.cancel()

    def _end(self, status: _Status) -> None:
        if not self._ended.is_set():
            self._status = status
            self._ended.set()
            self._context.messages.put_nowait(grpc.aio.EOF)
            if self._timer is not None:
                self._timer.cancel()

    def _raise_error(self) -> None:
        code, details, trailing = self._status.code, self._status.details, self._status.trailing_metadata
        if code is not grpc.StatusCode.OK:
            raise grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailing), details)


class _Channel:
    """The methods of `grpc.aio.Channel` that stubs of unary requests use."""

    def __init__(self, server: Callable[[], _Server | None], calls: ClientInterceptor) -> None:
        self._server = server
        self._calls = calls

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        pass

    def unary_unary(self, method: str, *given: Any, **options: Any) -> Callable[..., Awaitable[Any]]:
        """Return a function that makes one call and returns its response."""
        return self._calls.unary_unary(method, self.unary_stream(method, *given, **options))

    def unary_stream(
        self,
        method: str,
        request_serializer: Callable[[Any], bytes],
        response_deserializer: Callable[[bytes], Any],
        **_options: Any,
    ) -> Callable[..., _Call]:
        """Return a function that starts one call."""

        def start(request: Any, *, timeout: float | None = None, metadata: Any = None, **_options: Any) -> _Call:
            run = partial(self._run, method, request_serializer(request))
            return _Call(run, response_deserializer, tuple(metadata or ()), timeout)

        return start

    async def _run(self, method: str, request: bytes, context: _Context) -> bytes:
        server = self._server()
        if server is None:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "No server of this process has this address.")
        return await server.run(method, request, context)
