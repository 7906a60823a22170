"""Reading another service's stream: it has the caller's identity, is always counted, and never leaks."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from prometheus_client import CollectorRegistry

from chassis import identity
from chassis.errors import NotFound, Unavailable
from chassis.grpc_api import client_streams
from chassis.grpc_api.client import ClientInterceptor, ClientMetrics, open_channel, service_config
from chassis.identity import MeshTokens
from chassis.tracing import Tracing
from tests.support.chassis.mesh import counted, mesh_server
from tests.support.chassis.probe import SERVICE, Context
from tests.support.holding import until
from tests.support.ports import free_port

TOKEN = "the-token-of-the-mesh"
METHOD = "Generate"


class Reader:
    """Reads the probe's stream as a member of the mesh."""

    def __init__(self, target: str) -> None:
        self.registry = CollectorRegistry()
        self._calls = ClientInterceptor(
            ClientMetrics(self.registry), Tracing("client", None).tracer, MeshTokens([TOKEN]), 5
        )
        self.channel = open_channel(target, service_config({}, package="probe.v1"), self._calls)

    def read(self) -> AsyncGenerator[Any, None]:
        rpc: Any = self.channel.unary_stream(
            f"/{SERVICE}/{METHOD}",
            request_serializer=StringValue.SerializeToString,
            response_deserializer=StringValue.FromString,
        )
        return client_streams.read(self._calls, f"{SERVICE}/{METHOD}", rpc, StringValue(value="hello"))

    @property
    def outcomes(self) -> dict[str, float]:
        return counted(self.registry, "grpc_client_handled_total", METHOD)


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "mesh-token"
    path.write_text(TOKEN)
    return path


async def hang(_context: Context) -> None:
    await asyncio.Event().wait()


async def fail(_context: Context) -> None:
    raise NotFound("GONE", "gone")


async def test_a_stream_yields_its_messages_and_has_the_identity_of_the_caller(token_file: Path) -> None:
    seen: dict[str, Any] = {}

    async def note(context: Context) -> None:
        seen.update(context.invocation_metadata() or ())

    identity.set_request_id("the-request-0001")
    async with mesh_server(note, token_file=token_file) as server:
        reader = Reader(server.target)
        async with reader.channel, aclosing(reader.read()) as messages:
            assert [message.value async for message in messages] == ["hello"]
        assert reader.outcomes == {"OK": 1}
        assert counted(reader.registry, "grpc_client_msg_received_total", METHOD) == {"": 1}
    assert (seen["x-mesh-token"], seen["x-request-id"]) == (TOKEN, "the-request-0001")


async def test_a_broken_stream_raises_an_error_with_its_name() -> None:
    async with mesh_server(fail) as server:
        reader = Reader(server.target)
        async with reader.channel, aclosing(reader.read()) as messages:
            assert (await anext(messages)).value == "hello"
            with pytest.raises(Unavailable, match=f"{SERVICE}/{METHOD}: NOT_FOUND"):
                await anext(messages)
        assert reader.outcomes == {"NOT_FOUND": 1}


async def test_a_silent_stream_is_cancelled_and_also_ends_at_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chassis.grpc_api.client_streams._SILENCE_SECONDS", 0.2)
    async with mesh_server(hang) as server:
        reader = Reader(server.target)
        async with reader.channel, aclosing(reader.read()) as messages:
            await anext(messages)
            with pytest.raises(Unavailable, match="no message"):
                await anext(messages)
            await until(lambda: server.in_flight() == 0)
        assert reader.outcomes == {"DEADLINE_EXCEEDED": 1}


async def test_a_stream_that_is_no_longer_read_is_cancelled_at_both_ends() -> None:
    async with mesh_server(hang) as server:
        reader = Reader(server.target)
        async with reader.channel:
            for _ in range(20):
                async with aclosing(reader.read()) as messages:
                    await anext(messages)
            await until(lambda: server.in_flight() == 0)
        assert reader.outcomes == {"CANCELLED": 20}


async def test_a_stream_waits_until_the_service_is_available() -> None:
    port = free_port()
    reader = Reader(f"127.0.0.1:{port}")
    async with reader.channel, aclosing(reader.read()) as messages:
        first = asyncio.ensure_future(anext(messages))
        await asyncio.wait([first], timeout=0.2)
        assert not first.done()
        async with mesh_server(port=port):
            assert (await asyncio.wait_for(first, 10)).value == "hello"
