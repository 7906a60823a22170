"""The documentation of operations beyond their schemas: statuses, headers, parameters."""

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
        description="A key that identifies this request: a repeated request with the same key and content creates no "
        "second task and returns the existing task as it is now. If omitted, the edge generates one.",
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
        description="One strong etag: the change is made only if the task still has this etag, otherwise the response "
        "is 412. Omit the header or send `*` to change any revision. A list or a weak etag is rejected with 422.",
        examples=['"r1"'],
        json_schema_extra={"pattern": IF_MATCH_PATTERN},
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        description="The etags of the revisions that you already have, or `*`. If one matches, the response is 304.",
        examples=['"r1"'],
    ),
]
LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        description="The id of the last event that you received; the events since then are sent first. If the id is "
        "unknown or too old, the stream starts with a `reset`.",
        examples=["1795000000000-0~1795000000000-1"],
    ),
]

ALWAYS = (401, 403, 413, 422, 429, 431, 500, 501, 502, 503, 504)
"""The errors of every operation: general checks of the gateway and the edge, and failures of a service."""

_WHEN = {
    304: "The client already has this revision.",
    400: "The body is not valid JSON, or the page token is damaged or was issued to another user or for other "
    "parameters.",
    401: "The caller is not authenticated.",
    403: "The caller is not allowed to do this.",
    404: "The caller has no such task.",
    408: "The body did not arrive in time.",
    409: "The task is not deleted.",
    412: "The task no longer has that etag.",
    413: f"The body is larger than {limits.MAX_BODY_BYTES // 1024} KiB.",
    415: "The body is not of type JSON.",
    422: "The request is invalid; `violations` lists the invalid fields.",
    429: "Too many requests or event streams.",
    431: "The headers are too large.",
    500: "An internal error of a service.",
    501: "The service does not implement this operation.",
    502: "The gateway received an incomplete response or none.",
    503: "A required service is unavailable.",
    504: "A service did not respond in time.",
}
_HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {
        "description": "The etag of the task's revision, for If-Match and If-None-Match.",
        "schema": {"type": "string", "pattern": STRONG_PATTERN},
    },
    "Location": {
        "description": "The path of the new task.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Retry-After": {
        "description": "The number of seconds after which you can retry.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "X-Request-ID": {
        "description": "The id of the request in logs: the one that you sent, or a new one.",
        "schema": {"type": "string"},
    },
}


def headers(*names: str) -> dict[str, Any]:
    """Return the documentation of response headers."""
    return {name: _HEADERS[name] for name in names}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of an operation's error responses: `statuses` and those of ALWAYS."""
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
