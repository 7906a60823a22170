"""Reflection finds every kind of symbol, under both names of its service."""

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from chassis.grpc_api import reflection
from tests.support.chassis.mesh import mesh_server
from tests.support.chassis.standard_services import reflection_of

pytestmark = pytest.mark.parametrize("name", [reflection.V1, reflection.V1ALPHA])


async def ask(channel: grpc.aio.Channel, name: str, symbol: str) -> ServerReflectionResponse:
    request = ServerReflectionRequest(file_containing_symbol=symbol)
    answers: list[ServerReflectionResponse] = [
        each async for each in reflection_of(channel, name)([request], timeout=5)
    ]
    assert len(answers) == 1
    return answers[0]


@pytest.mark.parametrize(
    "symbol",
    ["Health", "Health.Check", "HealthCheckResponse", "HealthCheckResponse.status", "HealthCheckResponse.SERVING"],
)
async def test_a_symbol_is_found(name: str, symbol: str) -> None:
    async with mesh_server() as mesh:
        answer = await ask(mesh.channel, name, f"grpc.health.v1.{symbol}")
    files = [FileDescriptorProto.FromString(file) for file in answer.file_descriptor_response.file_descriptor_proto]
    assert [file.package for file in files] == ["grpc.health.v1"]


@pytest.mark.parametrize("symbol", ["grpc.health.v1.Health.Nothing", "nothing", ""])
async def test_an_unknown_symbol_is_not_found(name: str, symbol: str) -> None:
    async with mesh_server() as mesh:
        answer = await ask(mesh.channel, name, symbol)
    assert answer.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
