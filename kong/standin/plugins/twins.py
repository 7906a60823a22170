"""The twins in Python of the Lua functions in kong.yml, each under the digest of its Lua."""

import json
import re
from collections.abc import Callable
from http import HTTPStatus

from kong.standin.exchange import Answer, Exchange, Exit
from kong.standin.headers import Headers

RequestTwin = Callable[[Exchange], None]
AnswerTwin = Callable[[Exchange, Answer], None]

_MOST_HEADERS = 100
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_TITLES = {413: "Content Too Large"}  # what Python calls it depends on its version
_DETAILS = {
    401: "Sign in, or send a valid key as x-api-key.",
    404: "The gateway has no route for this.",
    413: "The body is larger than 256 KiB.",
    429: "Too many requests; try again later.",
    431: "The request has more than 100 headers.",
}
_OTHER = "The gateway could not serve this request."


def check_headers(exchange: Exchange) -> None:
    """Refuses more headers than the router and the plugins would look at, and drops a request id of another form."""
    if len(exchange.headers) > _MOST_HEADERS:
        headers = Headers([("Content-Type", "application/json; charset=utf-8")])
        raise Exit(Answer(431, headers, b'{"message":"More than 100 request headers"}', "exit"))
    ids = exchange.headers.all("x-request-id")
    if len(ids) > 1 or not all(_REQUEST_ID.fullmatch(each) for each in ids):
        exchange.headers.remove("x-request-id")


def make_problem(exchange: Exchange, answer: Answer) -> None:
    """Makes Kong's own errors read like the edge's, and takes away the cookie of a login that was refused."""
    if answer.status < 400 or answer.source == "service":
        return
    answer.headers.remove("Set-Cookie")
    if exchange.headers.get("content-type").startswith("application/grpc"):
        return
    title = _title(answer.status)
    request_id = answer.headers.get("X-Request-ID")
    problem = {
        "type": "about:blank",
        "title": title,
        "status": answer.status,
        "detail": _DETAILS.get(answer.status, _OTHER),
        "reason": title.upper().replace(" ", "_"),
        "request_id": request_id if re.fullmatch(r"[A-Za-z0-9-]+", request_id) else "",
    }
    answer.body = json.dumps(problem, separators=(",", ":")).encode()
    answer.headers.set("Content-Type", "application/problem+json")


def _title(status: int) -> str:
    return _TITLES.get(status) or HTTPStatus(status).phrase


REQUEST_TWINS: dict[str, RequestTwin] = {
    "681c2657cf834c0655827ca4388a4e35b70cd8c0d444e9decc579910aa7b8cc3": check_headers,
}
ANSWER_TWINS: dict[str, AnswerTwin] = {
    "897777542c3a87a652e01ea017e0f180e5797f241a4291faa79d0801fb796b86": make_problem,
}
UNNEEDED = frozenset({"9235c0f5b183e92e66792a1efbdf3a9598b7f0076c62aee62c9eecfec316f083"})
"""Lua of the phase body_filter that only writes out the body which a twin has made already."""
