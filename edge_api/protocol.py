"""uvicorn's HTTP parser, but what it cannot read is answered with a problem like every other error, and an application
can hang up on a client that does not read."""

import asyncio
from collections.abc import Callable

from starlette.types import Scope
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from chassis import identity
from edge_api.problems import Problem

_CONNECTION = "taskmesh.connection"
_WRITE_BUFFER_BYTES = 16 * 1024  # what waits in memory for a client that does not read, instead of asyncio's 64 KiB


class Connection:
    """The connection of a request, for answers that last.

    Not the protocol itself: that holds its request's scope, which holds this, and only a collector would free them.
    """

    def __init__(self, transport: asyncio.Transport, flow: FlowControl) -> None:
        self.on_lost: Callable[[], None] | None = None
        self._transport = transport
        self._flow = flow

    @property
    def is_lost(self) -> bool:
        """Whether the client has left already; `on_lost` is called when it does."""
        return bool(self._transport.is_closing())

    @property
    def is_congested(self) -> bool:
        """Whether its client is so far behind that the next thing sent would have to wait."""
        return self._flow.write_paused

    def abort(self) -> None:
        """Closes it at once, whatever still waits to be sent."""
        self._transport.abort()


def connection_of(scope: Scope) -> Connection:
    """The connection that a request came on."""
    connection: Connection = scope["state"][_CONNECTION]
    return connection


class Http(HttpToolsProtocol):
    """One connection of a client."""

    _connection: Connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins a connection."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(_WRITE_BUFFER_BYTES)
        self._connection = Connection(transport, self.flow)
        self.app_state = {**self.app_state, _CONNECTION: self._connection}  # uvicorn copies it into each scope

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells an answer that lasts that nobody will read it."""
        super().connection_lost(exc)
        if self._connection.on_lost is not None:
            self._connection.on_lost()

    def send_400_response(self, msg: str) -> None:
        """Answers what is not HTTP, and hangs up: nobody knows where the next request would begin."""
        request_id = identity.set_request_id(None)
        response = Problem(400, "MALFORMED_HTTP", msg).response()
        response.headers["X-Request-ID"] = request_id
        response.headers["Connection"] = "close"
        lines = [name + b": " + value + b"\r\n" for name, value in response.raw_headers]
        self.transport.write(b"".join([STATUS_LINE[400], *lines, b"\r\n", bytes(response.body)]))
        self.transport.close()
