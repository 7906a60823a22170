"""uvicorn's HTTP parser, but what it cannot read is answered with a problem like every other error, and an application
can hang up on a client that does not read."""

from collections.abc import Callable
from typing import Any

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from chassis import identity
from edge_api.problems import Problem

_ABORT = "taskmesh.abort"


def abort_of(scope: Scope) -> Callable[[], None]:
    """What closes the connection of a request at once, whatever still waits to be sent on it."""
    abort: Callable[[], None] = scope["extensions"][_ABORT]
    return abort


class Http(HttpToolsProtocol):
    """One connection of a client."""

    def on_message_begin(self) -> None:
        """Begins a request."""
        super().on_message_begin()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]  # a TypedDict, and extensions are anybody's
        scope["extensions"] = {_ABORT: self.transport.abort}

    def send_400_response(self, msg: str) -> None:
        """Answers what is not HTTP, and hangs up: nobody knows where the next request would begin."""
        request_id = identity.set_request_id(None)
        response = Problem(400, "MALFORMED_HTTP", msg).response()
        response.headers["X-Request-ID"] = request_id
        response.headers["Connection"] = "close"
        lines = [name + b": " + value + b"\r\n" for name, value in response.raw_headers]
        self.transport.write(b"".join([STATUS_LINE[400], *lines, b"\r\n", bytes(response.body)]))
        self.transport.close()
