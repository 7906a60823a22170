"""The table from the errors of `chassis.errors` to gRPC statuses.

Every error is a `google.rpc.Status` with exactly one ErrorInfo (AIP-193), and BadRequest where fields are at fault.
"""

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
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    errors.DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.Internal: grpc.StatusCode.INTERNAL,
}
_CODES_BY_NUMBER: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


def code_name(code: grpc.StatusCode | int | None) -> str:
    """The name of a status code; grpc.aio gives the enum on some paths and its number on others, and 0 before any."""
    if isinstance(code, grpc.StatusCode):
        return code.name
    return _CODES_BY_NUMBER.get(code or 0, grpc.StatusCode.UNKNOWN).name


async def abort(context: grpc.aio.ServicerContext[Any, Any], error: errors.ServiceError) -> None:
    """Ends the call with the status of `error`; always raises grpc.aio.AbortError."""
    code = CODES[type(error)]
    status = status_pb2.Status(code=code.value[0], message=error.message, details=_details(error))
    await context.abort(code, error.message, ((DETAILS_KEY, status.SerializeToString()),))


def _details(error: errors.ServiceError) -> list[any_pb2.Any]:
    details = [_packed(error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN))]
    if isinstance(error, errors.InvalidInput):
        violations = [
            error_details_pb2.BadRequest.FieldViolation(field=v.field, description=v.description)
            for v in error.violations
        ]
        details.append(_packed(error_details_pb2.BadRequest(field_violations=violations)))
    return details


def _packed(detail: message.Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed
