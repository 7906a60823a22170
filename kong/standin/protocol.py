"""uvicorn's HTTP parser, but what it cannot read is answered as Kong would, and an answer can be broken off."""

from collections.abc import Callable
from typing import Any, ClassVar

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from kong.standin.exchange import Answer

_CONNECTION = "taskmesh.gateway.connection"


class Http(HttpToolsProtocol):
    """One connection of a client."""

    malformed: ClassVar[Callable[[], Answer]]
    """What a client is told that does not speak HTTP."""

    def on_message_begin(self) -> None:
        """Begins a request."""
        super().on_message_begin()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]  # a TypedDict, and extensions are anybody's
        scope["extensions"] = {_CONNECTION: self}

    def abort(self) -> None:
        """Closes the connection at once."""
        self.transport.abort()

    def send_400_response(self, _msg: str) -> None:
        """Answers what is not HTTP, and hangs up: nobody knows where the next request would begin."""
        answer = type(self).malformed()
        answer.headers.set("Content-Length", str(len(answer.body)))
        answer.headers.set("Connection", "close")
        lines = [name + b": " + value + b"\r\n" for name, value in answer.headers.raw()]
        self.transport.write(b"".join([STATUS_LINE[400], *lines, b"\r\n", answer.body]))
        self.transport.close()


def speaking(malformed: Callable[[], Answer]) -> type[Http]:
    """The parser with what it answers when it cannot read."""
    return type("Http", (Http,), {"malformed": staticmethod(malformed)})


def abort(scope: Scope) -> None:
    """Breaks off the answer to a request by closing its connection."""
    connection = (scope.get("extensions") or {}).get(_CONNECTION)
    if connection is not None:
        connection.abort()
