"""The table from the errors of `chassis.errors` to gRPC statuses.

Every error is a `google.rpc.Status` with exactly one ErrorInfo (AIP-193), and BadRequest where fields are at fault.
"""

from collections.abc import Sequence
from typing import Any

import grpc
from google.protobuf import any_pb2, message
from google.rpc import error_details_pb2, status_pb2

from chassis import errors

DOMAIN = "taskmesh"
DETAILS_KEY = "grpc-status-details-bin"

CODES: dict[type[errors.ServiceError], grpc.StatusCode] = {
    errors.InvalidInput: grpc.StatusCode.INVALID_ARGUMENT,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.Conflict: grpc.StatusCode.ABORTED,
    errors.Exhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    errors.DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.Internal: grpc.StatusCode.INTERNAL,
}
# A client refuses metadata above 8 KiB, nginx above 4 KiB, and the caller would learn nothing: what is too long is cut.
# The message travels twice, percent-encoded (three bytes for one at worst) and with the rest in base64.
_MESSAGE_BYTES, _REASON_BYTES = 300, 63
_FIELD_BYTES, _DESCRIPTION_BYTES, _ALL_VIOLATIONS_BYTES = 100, 200, 1500

_CODES_BY_NUMBER: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


def code_name(code: grpc.StatusCode | int | None) -> str:
    """The name of a status code; grpc.aio gives the enum on some paths and its number on others, and 0 before any."""
    if isinstance(code, grpc.StatusCode):
        return code.name
    return _CODES_BY_NUMBER.get(code or 0, grpc.StatusCode.UNKNOWN).name


def code_of(error: errors.ServiceError) -> grpc.StatusCode:
    """The status code of an error: that of the nearest class above it in the table, else INTERNAL."""
    return next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), grpc.StatusCode.INTERNAL)


async def abort(context: grpc.aio.ServicerContext[Any, Any], error: errors.ServiceError) -> None:
    """Ends the call with the status of `error`; always raises grpc.aio.AbortError."""
    code, text = code_of(error), _cut(error.message, _MESSAGE_BYTES)
    status = status_pb2.Status(code=code.value[0], message=text, details=_details(error))
    await context.abort(code, text, ((DETAILS_KEY, status.SerializeToString()),))


def _details(error: errors.ServiceError) -> list[any_pb2.Any]:
    info = error_details_pb2.ErrorInfo(
        reason=_cut(error.reason, _REASON_BYTES), domain=DOMAIN, metadata=dict(error.metadata)
    )
    details = [_packed(info)]
    if isinstance(error, errors.InvalidInput):
        details.append(_packed(_bad_request(error.violations)))
    return details


def _bad_request(violations: Sequence[errors.Violation]) -> error_details_pb2.BadRequest:
    told = error_details_pb2.BadRequest()
    for number, violation in enumerate(violations):
        if told.ByteSize() > _ALL_VIOLATIONS_BYTES:
            told.field_violations.add(description=f"and {len(violations) - number} more")
            break
        told.field_violations.add(
            field=_cut(violation.field, _FIELD_BYTES), description=_cut(violation.description, _DESCRIPTION_BYTES)
        )
    return told


def _cut(text: str, limit: int) -> str:
    whole = text.encode(errors="replace")  # a lone surrogate has no UTF-8
    return whole.decode() if len(whole) <= limit else whole[: limit - 3].decode(errors="ignore") + "…"


def _packed(detail: message.Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed
