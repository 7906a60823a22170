"""What a service says about an error in its google.rpc.Status (AIP-193), with the fields named as REST names them."""

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
    """The details of an error that one of our services raised."""

    reason: str
    message: str
    violations: tuple[Violation, ...]


def read(error: grpc.aio.AioRpcError) -> Details | None:
    """The details of a failed call, or None where they are missing, damaged, or not from our services."""
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
    """The name by which REST knows a field of the contract: `task.labels[2]` is `labels[2]`."""
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
