"""Read the errors of gRPC calls."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2


@dataclass
class Refusal:
    """The error of a call."""

    code: grpc.StatusCode = grpc.StatusCode.OK
    reason: str = ""
    message: str = ""
    violations: dict[str, str] = field(default_factory=dict)
    details: list[Message] = field(default_factory=list)


@asynccontextmanager
async def refused() -> AsyncIterator[Refusal]:
    """Expect the call in the block to fail; the refusal has the error after the block."""
    refusal = Refusal()
    try:
        yield refusal
    except grpc.aio.AioRpcError as error:
        refusal.code, refusal.message = error.code(), error.details() or ""
        _read_details(refusal, error)
    else:
        raise AssertionError("the call was not refused")


def _read_details(refusal: Refusal, error: grpc.aio.AioRpcError) -> None:
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        for packed in status_pb2.Status.FromString(value).details:
            info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
            if packed.Unpack(info):
                refusal.reason = info.reason
                refusal.details.append(info)
            elif packed.Unpack(bad):
                refusal.violations = {v.field: v.description for v in bad.field_violations}
                refusal.details.append(bad)
