"""Server reflection: gives clients such as grpcurl the protos of a server."""

from collections.abc import Collection
from typing import Any, cast

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from grpc_reflection.v1alpha import reflection
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

V1ALPHA = reflection.SERVICE_NAME
V1 = "grpc.reflection.v1.ServerReflection"
"""The stable name of the same protocol, with the same messages.

It is served but not listed, because grpcio-reflection has the protos only under the older name."""


def serve(server: grpc.aio.Server, services: Collection[str]) -> None:
    """Add reflection to a server, as v1 and as v1alpha; `services` are the full names that it lists."""
    servicer = reflection.aio.ReflectionServicer(
        (*services, V1ALPHA), cast(descriptor_pool.DescriptorPool, _PoolWithMethods())
    )
    handlers = {
        "ServerReflectionInfo": grpc.stream_stream_rpc_method_handler(
            servicer.ServerReflectionInfo,
            ServerReflectionRequest.FromString,
            ServerReflectionResponse.SerializeToString,
        )
    }
    server.add_generic_rpc_handlers(
        tuple(grpc.method_handlers_generic_handler(name, handlers) for name in (V1, V1ALPHA))
    )


class _PoolWithMethods:
    """The default descriptor pool, extended to find the file of a method: clients describe methods by name."""

    _pool = descriptor_pool.Default()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def FindFileContainingSymbol(self, symbol: str) -> FileDescriptor:
        try:
            return self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            return self._pool.FindMethodByName(symbol).containing_service.file
