"""Calls of one process keep the promises of calls over a connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from prometheus_client import CollectorRegistry

from chassis import identity
from chassis.errors import NotFound, Unavailable
from chassis.grpc_api import client_streams, deadlines
from chassis.grpc_api.client import ClientInterceptor, ClientMetrics, OpenChannel, open_channel, service_config
from chassis.grpc_api.server import MakeServer
from chassis.identity import MeshTokens
from chassis.tracing import Tracing
from edge_api import grpc_errors
from scripts.dev.in_process import Network
from tests.support.chassis.mesh import Running, counted, mesh_server
from tests.support.chassis.probe import SERVICE, Act, Context, do_nothing
from tests.support.holding import until
from tests.support.ports import free_port

TOKEN = "the-token-of-the-mesh"
HELLO = StringValue(value="hello")
_WIRE: Any = {"request_serializer": StringValue.SerializeToString, "response_deserializer": StringValue.FromString}


@dataclass(frozen=True)
class Transport:
    """How a client reaches a server."""

    make_server: MakeServer
    open_channel: OpenChannel


@pytest.fixture(params=["in one process", "over a connection"])
def transport(request: pytest.FixtureRequest) -> Transport:
    network = Network()
    one = Transport(network.server, network.open_channel)
    return one if request.param == "in one process" else Transport(grpc.aio.server, open_channel)


class Client:
    """A channel with the interceptor of the mesh, and the metrics of its calls."""

    def __init__(self, target: str, transport: Transport) -> None:
        self.registry = CollectorRegistry()
        self.tracing = Tracing("client", None)
        self.calls = ClientInterceptor(ClientMetrics(self.registry), self.tracing.tracer, MeshTokens([TOKEN]), 5)
        self.channel = transport.open_channel(target, service_config({}), self.calls)

    async def ask(self, request: StringValue = HELLO, timeout: float | None = None) -> StringValue:
        """Make a unary call. Raises AioRpcError."""
        rpc: Any = self.channel.unary_unary(f"/{SERVICE}/Unary", **_WIRE)
        response: StringValue = await rpc(request, timeout=timeout)
        return response

    async def code(self, timeout: float | None = None) -> grpc.StatusCode:
        """Make a unary call and return its status."""
        try:
            await self.ask(timeout=timeout)
        except grpc.aio.AioRpcError as error:
            return error.code()
        return grpc.StatusCode.OK

    def stream(self, method: str = "Generate") -> Any:
        """Read a stream as the services do."""
        rpc: Any = self.channel.unary_stream(f"/{SERVICE}/{method}", **_WIRE)
        return client_streams.read(self.calls, f"{SERVICE}/{method}", rpc, HELLO)

    def outcomes(self, method: str = "Unary") -> dict[str, float]:
        return counted(self.registry, "grpc_client_handled_total", method)


@asynccontextmanager
async def pair(transport: Transport, act: Act = do_nothing, **how: Any) -> AsyncIterator[tuple[Client, Running]]:
    """A client and its server."""
    async with mesh_server(act, make_server=transport.make_server, **how) as server:
        client = Client(server.target, transport)
        async with client.channel:
            yield client, server


class Hanging:
    """Waits until it is cancelled; `ends_late` does not end then either, before `release` is set."""

    def __init__(self, *, ends_late: bool = False) -> None:
        self.entered, self.cancelled, self.release = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._ends_late = ends_late

    async def __call__(self, _context: Context) -> None:
        self.entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()
            if self._ends_late:
                await self.release.wait()


async def test_a_handler_knows_its_caller_only_by_the_metadata(transport: Transport) -> None:
    seen: dict[str, Any] = {}

    async def look(context: Context) -> None:
        seen.update(context.invocation_metadata() or ())
        seen["trace"] = identity.current_request_id(), deadlines.remaining()

    async with pair(transport, look) as (client, server):
        identity.set_user("alice")
        identity.set_request_id("request-of-alice")
        with client.tracing.tracer.start_as_current_span("outer") as span:
            assert (await client.ask(timeout=3)).value == "hello"
        assert (seen[identity.USER_KEY], seen[identity.TOKEN_KEY]) == ("alice", TOKEN)
        assert f"{span.get_span_context().trace_id:032x}" in seen["traceparent"]
        request_id, remaining = seen["trace"]
        assert request_id == "request-of-alice"
        assert 2 < remaining <= 3.2
        assert client.outcomes() == server.outcomes("Unary") == {"OK": 1}
        assert identity.current_user() == "alice"


async def test_the_client_and_the_handler_share_no_message(transport: Transport) -> None:
    async with pair(transport) as (client, _):  # whose handler returns its request
        response = await client.ask(HELLO)
        assert response == HELLO
        assert response is not HELLO


async def test_an_error_arrives_with_its_code_message_and_details(transport: Transport) -> None:
    async def fail(_context: Context) -> None:
        raise NotFound("TASK_NOT_FOUND", "There is no täsk.", {"task": "1"})

    async with pair(transport, fail) as (client, server):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await client.ask()
        error = caught.value
        assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "There is no täsk.")
        assert grpc_errors.read(error) == grpc_errors.Details("TASK_NOT_FOUND", "There is no täsk.", ())
        await until(lambda: server.in_flight() == 0)
        assert client.outcomes() == server.outcomes("Unary") == {"NOT_FOUND": 1}


async def test_the_deadline_ends_the_call_and_its_handler(transport: Transport) -> None:
    hanging = Hanging(ends_late=True)
    async with pair(transport, hanging) as (client, server):
        assert await client.code(timeout=0.3) is grpc.StatusCode.DEADLINE_EXCEEDED
        await asyncio.wait_for(hanging.cancelled.wait(), 5)
        hanging.release.set()
        await until(lambda: server.in_flight() == 0)
        assert client.outcomes() == server.outcomes("Unary") == {"DEADLINE_EXCEEDED": 1}


async def test_a_call_without_time_left_fails(transport: Transport) -> None:
    async with pair(transport, Hanging()) as (client, _):
        deadlines.set_remaining(-1)
        assert await client.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert client.outcomes() == {"DEADLINE_EXCEEDED": 1}


async def test_a_cancelled_client_cancels_its_handler(transport: Transport) -> None:
    hanging = Hanging()
    async with pair(transport, hanging) as (client, server):
        asking = asyncio.create_task(client.ask())
        await asyncio.wait_for(hanging.entered.wait(), 5)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await until(lambda: server.in_flight() == 0)
        assert client.outcomes() == server.outcomes("Unary") == {"CANCELLED": 1}


async def test_a_handler_that_is_cancelled_inside_ends_the_call_with_an_error(transport: Transport) -> None:
    async def be_cancelled(_context: Context) -> None:
        raise asyncio.CancelledError

    async with pair(transport, be_cancelled) as (client, _):
        assert await client.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_stream_ends_after_its_last_message(transport: Transport) -> None:
    async with pair(transport) as (client, server):
        assert [message.value async for message in client.stream()] == ["hello"]
        assert client.outcomes("Generate") == server.outcomes("Generate") == {"OK": 1}


async def test_a_stream_ends_with_the_error_of_its_handler(transport: Transport) -> None:
    async def fail(_context: Context) -> None:
        raise NotFound("GONE", "gone")

    async with pair(transport, fail) as (client, server):
        stream = client.stream()
        await anext(stream)
        with pytest.raises(Unavailable, match="NOT_FOUND"):
            await anext(stream)
        await until(lambda: server.in_flight() == 0)
        assert client.outcomes("Generate") == server.outcomes("Generate") == {"NOT_FOUND": 1}


async def test_a_handler_writes_no_more_than_its_client_reads() -> None:
    written: list[int] = []

    async def write_many(context: Context) -> None:
        for number in range(100):
            await context.write(HELLO)
            written.append(number)

    network = Network()
    async with (
        pair(Transport(network.server, network.open_channel), write_many) as (client, _),
        aclosing(client.stream("Write")) as stream,
    ):
        for count in range(10):
            await anext(stream)
            assert len(written) <= count
        assert len([message async for message in stream]) == 91
    assert len(written) == 100


async def test_a_stream_that_is_no_longer_read_is_cancelled(transport: Transport) -> None:
    hanging = Hanging()
    async with pair(transport, hanging) as (client, server):
        stream = client.stream()
        await anext(stream)
        await stream.aclose()
        await asyncio.wait_for(hanging.cancelled.wait(), 5)
        await until(lambda: server.in_flight() == 0)
        assert client.outcomes("Generate") == server.outcomes("Generate") == {"CANCELLED": 1}


async def test_a_drained_server_ends_its_streams_without_an_error(transport: Transport) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(mesh_server(Hanging(), make_server=transport.make_server))
        client = Client(server.target, transport)
        async with client.channel:
            stream = client.stream()
            await anext(stream)
            await stack.aclose()
            assert [message async for message in stream] == []
        assert client.outcomes("Generate") == server.outcomes("Generate") == {"OK": 1}


async def test_an_unknown_method_is_unimplemented(transport: Transport) -> None:
    async with pair(transport) as (client, _):
        rpc: Any = client.channel.unary_unary(f"/{SERVICE}/None", bytes, bytes)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await rpc(b"")
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_server_that_does_not_exist_is_unavailable(transport: Transport) -> None:
    client = Client(f"127.0.0.1:{free_port()}", transport)
    async with client.channel:
        assert await client.code() is grpc.StatusCode.UNAVAILABLE
