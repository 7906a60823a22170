"""What the documentation says of operations beside their schemas: statuses, headers, parameters."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Header, Path

from edge_api.problems import MEDIA_TYPE
from edge_api.schemas import limits
from edge_api.schemas.etags import IF_MATCH_PATTERN, STRONG_PATTERN

TaskId = Annotated[str, Path(description="The task's id.", examples=["01JD0000000000000000000000"])]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="The client's own name for this request: a repeat under the same key creates nothing more and "
        "returns the task as it is now. Left out, the edge makes one.",
        json_schema_extra={
            "minLength": 1,
            "maxLength": limits.IDEMPOTENCY_KEY_MAX,
            "pattern": limits.IDEMPOTENCY_KEY_PATTERN,
        },
    ),
]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="One strong etag: the change is made only if the task still has it, else 412. `*` and no header "
        "stand for any; a list or a weak etag is refused with 422.",
        examples=['"r1"'],
        json_schema_extra={"pattern": IF_MATCH_PATTERN},
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        description="The etags of what the client has already, or `*`; a match is answered 304.",
        examples=['"r1"'],
    ),
]
LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        description="The id of the last event that was received: what was missed since then comes first. One that is "
        "too old, or none that the edge gave, is answered by a `reset`.",
        examples=["1795000000000-0~1795000000000-1"],
    ),
]

ALWAYS = (401, 403, 413, 422, 429, 431, 500, 501, 502, 503, 504)
"""What any operation may answer: refusals of gateway and edge before they look closer, and failures of a service."""

_WHEN = {
    304: "The client has this revision already.",
    400: "The body is not JSON, or the page token is damaged, another user's, or of other arguments.",
    401: "Nobody known is calling.",
    403: "The caller may not do this.",
    404: "There is no such task for this caller.",
    408: "The body did not arrive in time.",
    409: "The task is not deleted.",
    412: "The task has changed since that etag.",
    413: f"The body is larger than {limits.MAX_BODY_BYTES // 1024} KiB.",
    415: "The body is of another type than JSON.",
    422: "The request breaks a rule; `violations` names the fields.",
    429: "Too many requests, or too much at once.",
    431: "The headers are too large.",
    500: "An error of the service itself.",
    501: "The service does not know this call yet.",
    502: "The gateway received an incomplete response, or none.",
    503: "A service that this needs is away.",
    504: "The service did not answer in time.",
}
_HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {
        "description": "The task's revision, for If-Match and If-None-Match.",
        "schema": {"type": "string", "pattern": STRONG_PATTERN},
    },
    "Location": {
        "description": "The path of the new task.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Retry-After": {
        "description": "Seconds after which you may try again.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "X-Request-ID": {
        "description": "The id of the request in logs and traces: that of the request, or a new one.",
        "schema": {"type": "string"},
    },
}


def headers(*names: str) -> dict[str, Any]:
    """The documentation of an answer's headers."""
    return {name: _HEADERS[name] for name in names}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documentation of the errors that an operation answers with, beside those of ALWAYS."""
    return {status: _problem(status) for status in sorted({*statuses, *ALWAYS})}


def _problem(status: int) -> dict[str, Any]:
    example = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _WHEN[status],
        "reason": HTTPStatus(status).name,
        "request_id": "0f8fad5bd9cb469fa16570867728950e",
    }
    schema = {"$ref": "#/components/schemas/Problem"}
    documented: dict[str, Any] = {
        "description": _WHEN[status],
        "content": {MEDIA_TYPE: {"schema": schema, "example": example}},
    }
    if status in (429, 503):
        documented["headers"] = headers("Retry-After")
    return documented
