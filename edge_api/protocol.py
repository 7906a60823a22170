"""uvicorn's HTTP protocol, with two additions.

The response to malformed HTTP is a problem document, and a streaming response can close the connection of a client
that does not read.
"""

import asyncio
from collections.abc import Callable

from starlette.types import Scope
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from chassis import identity
from edge_api.problems import Problem

_CONNECTION = "taskmesh.connection"
_WRITE_BUFFER_BYTES = 16 * 1024  # buffered for a client that does not read; asyncio's default is 64 KiB


class Connection:
    """The connection of a request, for streaming responses.

    Separate from the protocol, which references the request's scope, which references this object: with the protocol
    itself, only the garbage collector could free them.
    """

    def __init__(self, transport: asyncio.Transport, flow: FlowControl) -> None:
        self.on_lost: Callable[[], None] | None = None
        self._transport = transport
        self._flow = flow

    @property
    def is_lost(self) -> bool:
        """Whether the connection is closed or closing; `on_lost` is called when the client disconnects."""
        return bool(self._transport.is_closing())

    @property
    def is_congested(self) -> bool:
        """Whether the write buffer is full, so that the next write would have to wait."""
        return self._flow.write_paused

    def abort(self) -> None:
        """Close the connection at once and drop unsent data."""
        self._transport.abort()


def connection_of(scope: Scope) -> Connection:
    """Return the connection of a request."""
    connection: Connection = scope["state"][_CONNECTION]
    return connection


class Http(HttpToolsProtocol):
    """The protocol of one client connection."""

    _connection: Connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Set up the connection."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(_WRITE_BUFFER_BYTES)
        self._connection = Connection(transport, self.flow)
        self.app_state = {**self.app_state, _CONNECTION: self._connection}  # uvicorn copies it into each scope

    def connection_lost(self, exc: Exception | None) -> None:
        """Notify a streaming response that the client has disconnected."""
        super().connection_lost(exc)
        if self._connection.on_lost is not None:
            self._connection.on_lost()

    def send_400_response(self, msg: str) -> None:
        """Respond to malformed HTTP and close the connection, because the start of the next request is unknown."""
        request_id = identity.set_request_id(None)
        response = Problem(400, "MALFORMED_HTTP", msg).response()
        response.headers["X-Request-ID"] = request_id
        response.headers["Connection"] = "close"
        lines = [name + b": " + value + b"\r\n" for name, value in response.raw_headers]
        self.transport.write(b"".join([STATUS_LINE[400], *lines, b"\r\n", bytes(response.body)]))
        self.transport.close()
