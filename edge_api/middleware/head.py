"""Support HEAD on every path that supports GET (RFC 9110, 9.3.2): the headers of GET without a body."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _StreamEnded(Exception):
    """Ends a stream after its headers."""


class HeadAsGet:
    """Runs a HEAD request as GET, and ends a stream before its body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request."""
        if scope["method"] == "HEAD":
            await self._head(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _head(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_no_body(message: Message) -> None:
            if message["type"] != "http.response.body":
                await send(message)
                return
            await send({"type": "http.response.body"})
            if message.get("more_body"):
                raise _StreamEnded

        get = {**scope, "method": "GET"}
        try:
            await self._app(get, receive, send_no_body)
        except _StreamEnded:
            pass
        finally:
            scope["route"] = get.get("route")  # for the metrics
