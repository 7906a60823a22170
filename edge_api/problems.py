"""The error responses of the edge, as application/problem+json (RFC 9457).

`STATUS` maps gRPC statuses to HTTP. The edge's own errors are either ServiceErrors, which use the same table, or
`HttpError`, which has its own HTTP status.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import grpc
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from chassis import identity
from chassis.errors import InvalidInput, ServiceError, Violation
from chassis.grpc_api.error_mapping import code_of
from edge_api import grpc_errors

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1

STATUS: dict[grpc.StatusCode, int] = {
    grpc.StatusCode.INVALID_ARGUMENT: 422,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.ABORTED: 412,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}
_BAD_REQUEST_REASONS = frozenset({"INVALID_PAGE_TOKEN"})
_DETAIL = {
    401: "The caller is not authenticated.",
    403: "The caller is not allowed to do this.",
    404: "There is no resource at this path.",
    405: "The resource does not support this method.",
    409: "The request conflicts with the state of the resource.",
    412: "The resource has changed.",
    422: "The request is invalid.",
    429: "Too many requests; try again later.",
    501: "The service does not implement this operation.",
    503: "A required service is unavailable; try again later.",
    504: "The service did not respond in time.",
}
_INTERNAL = "Internal error; the log has details under this request_id."


@dataclass(frozen=True)
class Problem:
    """An error response; `extra` has additional members."""

    status: int
    reason: str
    detail: str
    violations: Sequence[Violation] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def response(self) -> JSONResponse:
        """Return the problem as a response to the current request."""
        headers = dict(self.headers)
        if self.status in (429, 503):
            headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
        return JSONResponse(self._body(), self.status, headers, media_type=MEDIA_TYPE)

    def _body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "reason": self.reason,
            "request_id": identity.current_request_id(),
            **self.extra,
        }
        if self.violations:
            body["violations"] = [{"field": v.field, "description": v.description} for v in self.violations]
        return body


class HttpError(HTTPException):
    """An error specific to HTTP, such as a body that is too large; it becomes a problem document."""

    def __init__(self, status: int, reason: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail, headers)
        self.reason = reason


def internal() -> Problem:
    """Return the problem for an unexpected error; it does not reveal the cause."""
    return Problem(500, "INTERNAL", _INTERNAL)


def of_http(error: HTTPException) -> Problem:
    """Return the problem for an HTTP error of the edge or of the framework."""
    status = HTTPStatus(error.status_code)
    reason = error.reason if isinstance(error, HttpError) else status.name
    detail = error.detail if isinstance(error, HttpError) else _DETAIL.get(status, status.phrase)
    return Problem(int(status), reason, detail, headers=error.headers or {})


def of_service_error(error: ServiceError) -> Problem:
    """Return the problem for a ServiceError that the edge itself raised."""
    violations = error.violations if isinstance(error, InvalidInput) else ()
    return _of_code(code_of(error), error.reason, error.message, violations)


def of_grpc(error: grpc.aio.AioRpcError) -> Problem:
    """Return the problem for a failed call, with the details of the service but not those of the channel."""
    details = grpc_errors.read(error)
    if details is None:
        return _of_code(error.code(), error.code().name, "", ())
    return _of_code(error.code(), details.reason, details.message, details.violations)


def _of_code(code: grpc.StatusCode, reason: str, message: str, violations: Sequence[Violation]) -> Problem:
    status = 400 if reason in _BAD_REQUEST_REASONS else STATUS.get(code)
    if status is None:
        return internal()
    return Problem(status, reason, message or _DETAIL[status], violations)
