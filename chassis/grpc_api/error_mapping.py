"""Map the errors of `chassis.errors` to gRPC statuses.

Every error is a `google.rpc.Status` with exactly one ErrorInfo (AIP-193), and a BadRequest if fields are invalid.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc
import structlog
from google.protobuf import any_pb2, message
from google.rpc import error_details_pb2, status_pb2

from chassis import errors
from chassis.errors import Internal, ServiceError, Unavailable, Unimplemented
from chassis.grpc_api.interceptor import CallNext, RpcCall

_log = structlog.get_logger("rpc")

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
    errors.Unimplemented: grpc.StatusCode.UNIMPLEMENTED,
    errors.Internal: grpc.StatusCode.INTERNAL,
}
# Long texts are truncated: clients refuse metadata above 8 KiB, nginx above 4 KiB, so the caller would get no details.
# The message is sent twice: percent-encoded (up to three bytes per byte), and in base64 with the details.
_MESSAGE_BYTES, _REASON_BYTES = 300, 63
_FIELD_BYTES, _DESCRIPTION_BYTES, _ALL_VIOLATIONS_BYTES = 100, 200, 1500

_CODES_BY_NUMBER: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


def code_name(code: grpc.StatusCode | int | None) -> str:
    """Return the name of a status code, which grpc.aio represents as an enum, a number, or 0 or None if unset."""
    if isinstance(code, grpc.StatusCode):
        return code.name
    return _CODES_BY_NUMBER.get(code or 0, grpc.StatusCode.UNKNOWN).name


def code_of(error: errors.ServiceError) -> grpc.StatusCode:
    """Return the status code of an error: that of its nearest base class in `CODES`, else INTERNAL."""
    return next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), grpc.StatusCode.INTERNAL)


async def abort(context: grpc.aio.ServicerContext[Any, Any], error: errors.ServiceError) -> None:
    """End the call with the status of `error`. Always raises grpc.aio.AbortError."""
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
    details = error_details_pb2.BadRequest()
    for number, violation in enumerate(violations):
        if details.ByteSize() > _ALL_VIOLATIONS_BYTES:
            details.field_violations.add(description=f"and {len(violations) - number} more")
            break
        details.field_violations.add(
            field=_cut(violation.field, _FIELD_BYTES), description=_cut(violation.description, _DESCRIPTION_BYTES)
        )
    return details


def _cut(text: str, limit: int) -> str:
    whole = text.encode(errors="replace")  # a lone surrogate has no UTF-8
    return whole.decode() if len(whole) <= limit else whole[: limit - 3].decode(errors="ignore") + "…"


def _packed(detail: message.Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed


async def map_errors(call: RpcCall, call_next: CallNext) -> Any:
    """End every call with a status, and store it in `call.code`.

    A ServiceError becomes its status. Any other error is logged and becomes INTERNAL, which does not reveal the cause.
    """
    given = call.context.time_remaining()
    try:
        response = await call_next()
        call.code = code_name(call.context.code())
        return response
    except ServiceError as error:
        await _abort(call, error)
    except grpc.aio.AbortError:
        call.code = code_name(call.context.code())
        raise
    except asyncio.CancelledError:
        if not _is_being_cancelled():  # raised inside the call; the client would get no response
            await _abort(call, Unavailable("INTERRUPTED", "The call was interrupted; try again."))
        call.code = "DEADLINE_EXCEEDED" if _deadline_has_passed(call, given) else "CANCELLED"
        raise
    except NotImplementedError:  # a generated method that is not overridden, such as Health.List
        await _abort(call, Unimplemented("UNIMPLEMENTED", "The service does not implement this method."))
    except Exception:
        _log.exception("unexpected error", method=f"{call.service}/{call.method}")
        await _abort(call, Internal("INTERNAL", "Internal error; see the log of the service for details."))


async def _abort(call: RpcCall, error: ServiceError) -> None:
    call.code = code_of(error).name
    await abort(call.context, error)


def _deadline_has_passed(call: RpcCall, given: float | None) -> bool:
    # A client cancels at its own deadline, which grpc rounds for the server: up to 4 % later.
    left = call.context.time_remaining()
    return given is not None and left is not None and left <= 0.04 * given + 0.05


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
