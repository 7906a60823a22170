"""A service with every kind of RPC, whose behaviour a test chooses, and calls to it from outside the mesh."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import grpc
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc import status_pb2
from grpc_status import rpc_status

SERVICE = "probe.v1.Probe"
KINDS = {
    "Unary": "UNARY",
    "Generate": "SERVER_STREAMING",
    "Write": "SERVER_STREAMING",
    "Collect": "CLIENT_STREAMING",
    "Converse": "BIDI_STREAMING",
    "ConverseByWriting": "BIDI_STREAMING",
}
UNARY_RESPONSES = ("Unary", "Collect")
METHODS = tuple(KINDS)
_STATUS_LOST, _ATTEMPTS = "Internal error from Core", 5

Context = grpc.aio.ServicerContext[Any, Any]
Act = Callable[[Context], Awaitable[None]]


async def do_nothing(_context: Context) -> None:
    """Respond immediately."""


class Probe:
    """Echoes its requests. Unary responses run `act` before the response, streams after the last message."""

    def __init__(self, act: Act = do_nothing) -> None:
        self.act = act

    def add_to(self, server: grpc.aio.Server) -> None:
        """Add the service to a server."""
        wire: dict[str, Any] = {
            "request_deserializer": StringValue.FromString,
            "response_serializer": StringValue.SerializeToString,
        }
        handlers = {
            "Unary": grpc.unary_unary_rpc_method_handler(self._unary, **wire),
            "Generate": grpc.unary_stream_rpc_method_handler(self._generate, **wire),
            "Write": grpc.unary_stream_rpc_method_handler(self._write, **wire),
            "Collect": grpc.stream_unary_rpc_method_handler(self._collect, **wire),
            "Converse": grpc.stream_stream_rpc_method_handler(self._converse, **wire),
            "ConverseByWriting": grpc.stream_stream_rpc_method_handler(self._converse_by_writing, **wire),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))

    async def _unary(self, request: StringValue, context: Context) -> StringValue:
        await self.act(context)
        return request

    async def _generate(self, request: StringValue, context: Context) -> AsyncIterator[StringValue]:
        yield request
        await self.act(context)

    async def _write(self, request: StringValue, context: Context) -> None:
        await context.write(request)
        await self.act(context)

    async def _collect(self, requests: AsyncIterator[StringValue], context: Context) -> StringValue:
        values = [request.value async for request in requests]
        await self.act(context)
        return StringValue(value="".join(values))

    async def _converse(self, requests: AsyncIterator[StringValue], context: Context) -> AsyncIterator[StringValue]:
        async for request in requests:
            yield request
        await self.act(context)

    async def _converse_by_writing(self, requests: AsyncIterator[StringValue], context: Context) -> None:
        async for request in requests:
            await context.write(request)
        await self.act(context)


@dataclass
class Answer:
    """The result of a call; `status` is its google.rpc.Status, if there is one. `attempts` includes repeated calls."""

    code: grpc.StatusCode
    message: str
    status: status_pb2.Status | None
    responses: list[str] = field(default_factory=list)
    attempts: int = 1


def start(
    channel: grpc.aio.Channel,
    method: str,
    *,
    value: str = "hello",
    timeout: float | None = 10,
    metadata: tuple[tuple[str, str], ...] = (),
) -> Any:
    """Start a call of one of METHODS; a request stream has one message."""
    kind = KINDS[method]
    make: dict[str, Callable[..., Any]] = {
        "UNARY": channel.unary_unary,
        "SERVER_STREAMING": channel.unary_stream,
        "CLIENT_STREAMING": channel.stream_unary,
        "BIDI_STREAMING": channel.stream_stream,
    }
    rpc = make[kind](
        f"/{SERVICE}/{method}",
        request_serializer=StringValue.SerializeToString,
        response_deserializer=StringValue.FromString,
    )
    request = StringValue(value=value)
    given = _one(request) if kind in ("CLIENT_STREAMING", "BIDI_STREAMING") else request
    return rpc(given, timeout=timeout, metadata=metadata)


async def finish(call: Any, method: str) -> Answer:
    """Read a call to its end, and return its result."""
    responses: list[str] = []
    try:
        if method in UNARY_RESPONSES:
            responses.append((await call).value)
        else:
            async for response in call:
                responses.append(response.value)
    except grpc.aio.AioRpcError as error:
        return Answer(error.code(), error.details() or "", rpc_status.from_call(cast(Any, error)), responses)
    return Answer(grpc.StatusCode.OK, "", None, responses)


async def ask(channel: grpc.aio.Channel, method: str = "Unary", **how: Any) -> Answer:
    """Make one call and return its result; `how` has the arguments of `start`.

    Repeats a call whose result gRPC loses: a write that fails because the server has ended the call hides its status
    (https://github.com/grpc/grpc/issues/36066).
    """
    for attempt in range(1, _ATTEMPTS + 1):
        answer = await finish(start(channel, method, **how), method)
        answer.attempts = attempt
        if answer.message != _STATUS_LOST:
            break
    return answer


async def _one(request: StringValue) -> AsyncIterator[StringValue]:
    yield request
