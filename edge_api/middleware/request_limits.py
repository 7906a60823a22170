"""Limits on concurrent requests, on the size of headers and bodies, and on the time for a body to arrive."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.grpc_api import deadlines
from edge_api.problems import HttpError, Problem, of_http
from edge_api.routes.events import PATH as EVENTS
from edge_api.routes.health import PROBES
from edge_api.schemas.limits import MAX_BODY_BYTES, MAX_HEADER_BYTES

_NOT_LIMITED = PROBES | {EVENTS}


class InFlightLimit:
    """Responds with 503 while `limit` requests are in flight.

    Probes and event streams do not count; event streams have their own limits.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request, or respond with 503 when the limit is reached."""
        if scope["path"] in _NOT_LIMITED:
            await self._app(scope, receive, send)
            return
        if self._in_flight >= self._limit:
            busy = Problem(503, "TOO_BUSY", "Too many concurrent requests; try again later.")
            await busy.response()(scope, receive, send)
            return
        self._in_flight += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_flight -= 1


class SizeLimits:
    """Rejects headers and bodies that are too large, and bodies that arrive too slowly.

    A body is counted while it is received, so a missing or wrong Content-Length does not bypass the limit.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond with 431 or 413 if the headers exceed a limit. If the body does, reading it raises HttpError."""
        violation = _header_violation(scope)
        if violation is not None:
            await of_http(violation).response()(scope, receive, send)
            return
        await self._app(scope, _LimitedReceive(receive), send)


class _LimitedReceive:
    """Reads the body; raises HttpError 408 if it arrives too slowly, and 413 if it is too large."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._bytes = 0

    async def __call__(self) -> Message:
        try:
            async with asyncio.timeout(deadlines.remaining()):
                message = await self._receive()
        except TimeoutError:
            raise HttpError(408, "REQUEST_TIMEOUT", "The body did not arrive in time.") from None
        self._bytes += len(message.get("body", b""))
        if self._bytes > MAX_BODY_BYTES:
            raise _too_large()
        return message


def _header_violation(scope: Scope) -> HttpError | None:
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
        return HttpError(431, "HEADERS_TOO_LARGE", f"The headers must be at most {MAX_HEADER_BYTES // 1024} KiB.")
    declared = Headers(scope=scope).get("content-length", "0")
    # The server has checked that this is a number, but int() raises an error if it has thousands of digits.
    if len(declared) > 18 or int(declared) > MAX_BODY_BYTES:
        return _too_large()
    return None


def _too_large() -> HttpError:
    return HttpError(413, "BODY_TOO_LARGE", f"The body must be at most {MAX_BODY_BYTES // 1024} KiB.")
