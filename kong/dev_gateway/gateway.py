"""The gateway as an ASGI application: requests go through the phases to a service, and answers back in chunks."""

import asyncio
import time
from typing import Any

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import Receive, Scope, Send

from kong.dev_gateway import body
from kong.dev_gateway.exchange import Answer, Exchange, Exit, error
from kong.dev_gateway.phases import Passage, Phases
from kong.dev_gateway.upstream import Failed, Reply, Upstream

_log = structlog.get_logger("gateway")
_LONGEST_PATH = 200


class Gateway:
    """Serves what a configuration says."""

    def __init__(self, phases: Phases, upstream: Upstream) -> None:
        self._phases = phases
        self._upstream = upstream
        self._streams: set[asyncio.Task[Any]] = set()

    def end_streams(self) -> None:
        """Ends the answers that would not end by themselves."""
        for task in self._streams:
            task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        begun = time.perf_counter()
        passage = self._phases.begin(_exchange(scope))
        status: int | None = None
        try:
            answer = await self._phases.admit(passage)
            if answer is not None:
                status = await self._answer(passage, answer, send)
            else:
                status = await self._proxy(passage, receive, send)
        finally:
            _write_line(passage, status, time.perf_counter() - begun)

    async def _proxy(self, passage: Passage, receive: Receive, send: Send) -> int:
        try:
            content = await body.read(receive)
        except Exit as leaving:
            return await self._answer(passage, leaving.answer, send)
        asking = asyncio.create_task(self._ask(passage, content, send))
        leaving_client = asyncio.create_task(body.until_disconnected(receive))
        try:
            await asyncio.wait((asking, leaving_client), return_when=asyncio.FIRST_COMPLETED)
            return asking.result() if asking.done() else 499  # nginx's status for a client that left
        finally:
            asking.cancel()
            leaving_client.cancel()
            await asyncio.gather(asking, leaving_client, return_exceptions=True)

    async def _ask(self, passage: Passage, content: bytes, send: Send) -> int:
        assert passage.service is not None  # noqa: S101 (a route was found; for the type checker)
        try:
            async with self._upstream.ask(passage.service, passage.target, passage.exchange, content) as reply:
                head = passage.filtered(Answer(reply.status, reply.headers, source="service"))
                await self._stream(head, reply, send)
                return head.status
        except Failed as failure:
            _log.warning("upstream failed", upstream=passage.service.name, error=str(failure))
            return await self._answer(passage, error(failure.status, str(failure)), send)

    async def _stream(self, head: Answer, reply: Reply, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101
        if head.headers.get("content-type", "").startswith("text/event-stream"):
            self._streams.add(task)
        try:
            await send({"type": "http.response.start", "status": head.status, "headers": head.headers.raw})
            # One chunk at a time: while the client does not read, nothing more is read from the service.
            async for chunk in reply.chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._streams.discard(task)

    async def _answer(self, passage: Passage, answer: Answer, send: Send) -> int:
        passage.filtered(answer)
        answer.headers["Content-Length"] = str(len(answer.body))
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers.raw})
        await send({"type": "http.response.body", "body": answer.body})
        return answer.status


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
        path=exchange.path[:_LONGEST_PATH],
        status=status,
        duration=round(seconds, 6),
        upstream=passage.service.name if passage.service else None,
        consumer=exchange.consumer.username if exchange.consumer else None,
        request_id=exchange.headers.get("x-request-id", "")[:64] or None,
    )
