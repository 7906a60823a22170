"""The status codes of each method, as its proto documents them. `telemetry` starts their counters at 0."""

import re
from collections.abc import Iterator
from importlib import import_module

import grpc
from google.protobuf import descriptor_pool
from py_grpc_prometheus import grpc_utils

_EVERY_METHOD = ("OK", "UNAUTHENTICATED", "UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL")
"""The codes that the interceptors can return for every method."""
_CODE = re.compile(rf"\b(?:{'|'.join(code.name for code in grpc.StatusCode)})\b")


def documented_codes(service_name: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield the type, service, method and code of each documented result; none if no imported module has the service.

    The generated servicer has the comments of the proto as docstrings.
    """
    try:
        service = descriptor_pool.Default().FindServiceByName(service_name)
    except KeyError:
        return
    module = import_module(service.file.name.removesuffix(".proto").replace("/", ".") + "_pb2_grpc")
    servicer = getattr(module, f"{service.name}Servicer")
    for method in service.methods:
        kind = grpc_utils.get_method_type(method.client_streaming, method.server_streaming)
        documented = _CODE.findall(getattr(servicer, method.name).__doc__ or "")
        for code in dict.fromkeys((*_EVERY_METHOD, *documented)):
            yield kind, service_name, method.name, code
