"""Refuses requests that are too large or too many, before they cost anything."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.grpc_api import deadlines
from edge_api.problems import HttpError, Problem, of_http
from edge_api.routes.events import PATH as EVENTS
from edge_api.routes.health import PROBES
from edge_api.schemas.limits import MAX_BODY_BYTES, MAX_HEADER_BYTES

_UNCOUNTED = PROBES | {EVENTS}


class InFlightLimit:
    """Works on `most` requests at once and answers 503 to more.

    Probes are always let through, and so is who watches events: that lasts, and has limits of its own.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through while there is room."""
        if scope["path"] in _UNCOUNTED:
            await self._app(scope, receive, send)
            return
        if self._in_flight >= self._most:
            busy = Problem(503, "TOO_BUSY", "Too many requests are being worked on; try again in a moment.")
            await busy.response()(scope, receive, send)
            return
        self._in_flight += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_flight -= 1


class SizeLimits:
    """Refuses headers and bodies that are too large, and bodies that come too slowly.

    A body is counted as it comes, so that a length which was not declared, or was a lie, is found out in time.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 431 and 413 at once where the headers tell; a later HttpError comes from where the body is read."""
        refusal = _by_headers(scope)
        if refusal is not None:
            await of_http(refusal).response()(scope, receive, send)
            return
        await self._app(scope, _Counted(receive), send)


class _Counted:
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


def _by_headers(scope: Scope) -> HttpError | None:
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
        return HttpError(431, "HEADERS_TOO_LARGE", f"The headers must be at most {MAX_HEADER_BYTES // 1024} KiB.")
    declared = Headers(scope=scope).get("content-length", "0")
    # The server has checked that it is a number; more digits than these are too many whatever they are.
    if len(declared) > 18 or int(declared) > MAX_BODY_BYTES:
        return _too_large()
    return None


def _too_large() -> HttpError:
    return HttpError(413, "BODY_TOO_LARGE", f"The body must be at most {MAX_BODY_BYTES // 1024} KiB.")
