"""Stubs of gRPC's standard services, whose packages have no types for asyncio."""

from typing import Any

import grpc
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse


def health_of(channel: grpc.aio.Channel) -> Any:
    """Return the stub of grpc.health.v1.Health: Check and Watch."""
    return HealthStub(channel)


def reflection_of(channel: Any, name: str) -> Any:
    """Return the only method of the reflection service `name`."""
    return channel.stream_stream(
        f"/{name}/ServerReflectionInfo",
        ServerReflectionRequest.SerializeToString,
        ServerReflectionResponse.FromString,
    )
