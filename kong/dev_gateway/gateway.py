"""The gateway as an ASGI application: passes requests through the phases to a service and streams the responses."""

import asyncio
import time
from typing import Any

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import Receive, Scope, Send

from kong.dev_gateway import body
from kong.dev_gateway.exchange import Exchange, Exit, Response, error
from kong.dev_gateway.phases import Passage, Phases
from kong.dev_gateway.upstream import Failed, Upstream, UpstreamResponse

_log = structlog.get_logger("gateway")
_MAX_PATH_LENGTH = 200


class Gateway:
    """The ASGI application."""

    def __init__(self, phases: Phases, upstream: Upstream) -> None:
        self._phases = phases
        self._upstream = upstream
        self._streams: set[asyncio.Task[Any]] = set()

    def end_streams(self) -> None:
        """Cancel all event streams, which would otherwise not end."""
        for task in self._streams:
            task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        begun = time.perf_counter()
        passage = self._phases.begin(_exchange(scope))
        status: int | None = None
        try:
            response = await self._phases.admit(passage)
            if response is not None:
                status = await self._respond(passage, response, send)
            else:
                status = await self._proxy(passage, receive, send)
        finally:
            _write_line(passage, status, time.perf_counter() - begun)

    async def _proxy(self, passage: Passage, receive: Receive, send: Send) -> int:
        try:
            content = await body.read(receive)
        except Exit as exited:
            return await self._respond(passage, exited.response, send)
        call = asyncio.create_task(self._call(passage, content, send))
        disconnect = asyncio.create_task(body.until_disconnected(receive))
        try:
            await asyncio.wait((call, disconnect), return_when=asyncio.FIRST_COMPLETED)
            return call.result() if call.done() else 499  # nginx's status for a client that disconnected
        finally:
            call.cancel()
            disconnect.cancel()
            await asyncio.gather(call, disconnect, return_exceptions=True)

    async def _call(self, passage: Passage, content: bytes, send: Send) -> int:
        assert passage.service is not None  # noqa: S101 (a route was found; for the type checker)
        try:
            async with self._upstream.send(passage.service, passage.target, passage.exchange, content) as received:
                head = passage.filtered(Response(received.status, received.headers, source="service"))
                await self._stream(head, received, send)
                return head.status
        except Failed as failure:
            _log.warning("upstream failed", upstream=passage.service.name, error=str(failure))
            return await self._respond(passage, error(failure.status, str(failure)), send)

    async def _stream(self, head: Response, received: UpstreamResponse, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101
        if head.headers.get("content-type", "").startswith("text/event-stream"):
            self._streams.add(task)
        try:
            await send({"type": "http.response.start", "status": head.status, "headers": head.headers.raw})
            # One chunk at a time: if the client does not read, the gateway stops reading from the service.
            async for chunk in received.chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._streams.discard(task)

    async def _respond(self, passage: Passage, response: Response, send: Send) -> int:
        passage.filtered(response)
        response.headers["Content-Length"] = str(len(response.body))
        await send({"type": "http.response.start", "status": response.status, "headers": response.headers.raw})
        await send({"type": "http.response.body", "body": response.body})
        return response.status


def _exchange(scope: Scope) -> Exchange:
    return Exchange(
        method=scope.get("method", "GET"),
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=MutableHeaders(raw=list(scope["headers"])),
        client=scope["client"][0] if scope.get("client") else "",
    )


def _write_line(passage: Passage, status: int | None, seconds: float) -> None:
    exchange = passage.exchange
    _log.info(
        "request",
        method=exchange.method,
        path=exchange.path[:_MAX_PATH_LENGTH],
        status=status,
        duration=round(seconds, 6),
        upstream=passage.service.name if passage.service else None,
        consumer=exchange.consumer.username if exchange.consumer else None,
        request_id=exchange.headers.get("x-request-id", "")[:64] or None,
    )
