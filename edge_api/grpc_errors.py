"""Read the details of gRPC errors (google.rpc.Status, AIP-193), and convert field names to those of REST."""

import re
from dataclasses import dataclass

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from chassis.errors import Violation
from chassis.grpc_api.error_mapping import DETAILS_KEY, DOMAIN

_REST_NAMES = {"request_id": "Idempotency-Key", "etag": "If-Match"}
_OF_TASK = re.compile(r"^task\.")


@dataclass(frozen=True)
class Details:
    """The details of an error that a service of the mesh raised."""

    reason: str
    message: str
    violations: tuple[Violation, ...]


def read(error: grpc.aio.AioRpcError) -> Details | None:
    """Return the details of a failed call, or None if they are missing, malformed, or of another domain."""
    status = _status(error)
    if status is None:
        return None
    info, bad_request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        for message in (info, bad_request):
            if detail.Is(message.DESCRIPTOR):
                detail.Unpack(message)
    if info.domain != DOMAIN:
        return None
    violations = (Violation(rest_name(v.field), v.description) for v in bad_request.field_violations)
    return Details(info.reason, status.message, tuple(violations))


def rest_name(path: str) -> str:
    """Return the REST name of a proto field: `task.labels[2]` becomes `labels[2]`."""
    name = _OF_TASK.sub("", path)
    return _REST_NAMES.get(name, name)


def _status(error: grpc.aio.AioRpcError) -> status_pb2.Status | None:
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                return None
    return None
