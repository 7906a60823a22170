"""The gateway as an ASGI application: a request goes through `phases` to its service, and the answer back in pieces."""

import asyncio
import time
from typing import Any

import structlog
from starlette.types import Receive, Scope, Send

from kong.standin.bodies import Body, until_left
from kong.standin.configuration import Configuration
from kong.standin.exchange import Answer, Exchange, Exit
from kong.standin.headers import Headers
from kong.standin.phases import Passage, Phases
from kong.standin.protocol import abort
from kong.standin.upstream import Failed, Reply, Upstream
from kong.standin.websockets import pass_on

_log = structlog.get_logger("gateway")
_LONGEST_PATH = 200


class Gateway:
    """Serves what a configuration says."""

    def __init__(self, configuration: Configuration, upstream: Upstream) -> None:
        self._phases = Phases(configuration)
        self._upstream = upstream
        self._streams: set[asyncio.Task[Any]] = set()

    def end_streams(self) -> None:
        """Ends the answers that would never end."""
        for task in self._streams:
            task.cancel()

    def malformed(self) -> Answer:
        """What a client is told that does not speak HTTP."""
        exchange = Exchange("GET", "/", "", Headers(), "", Body.empty)
        return self._phases.begin(exchange).filtered(exchange.error(400, "Bad request"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or passes one WebSocket."""
        begun = time.perf_counter()
        passage = self._phases.begin(_exchange(scope, Body(receive)))
        status: int | None = None
        try:
            answer = await self._phases.admit(passage)
            if scope["type"] == "websocket":
                status = await self._websocket(passage, answer, receive, send)
            elif answer is not None:
                status = await self._answer(passage, answer, send)
            else:
                status = await self._proxy(scope, passage, receive, send)
        finally:
            _write_line(passage, status, time.perf_counter() - begun)

    async def _proxy(self, scope: Scope, passage: Passage, receive: Receive, send: Send) -> int:
        exchange = passage.exchange
        assert passage.service is not None  # noqa: S101 (a route was found; for the type checker)
        try:
            body = await exchange.read_body()
        except Exit as leaving:
            return await self._answer(passage, leaving.answer, send)
        asking = asyncio.create_task(self._ask(scope, passage, body, send))
        leaving_client = asyncio.create_task(until_left(receive))
        try:
            await asyncio.wait((asking, leaving_client), return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                return asking.result()
            return 499  # nginx's name for a client that left
        except asyncio.CancelledError:
            abort(scope)
            raise
        finally:
            asking.cancel()
            leaving_client.cancel()
            await asyncio.gather(asking, leaving_client, return_exceptions=True)

    async def _ask(self, scope: Scope, passage: Passage, body: bytes, send: Send) -> int:
        assert passage.service is not None  # noqa: S101
        try:
            async with self._upstream.ask(passage.service, passage.target, passage.exchange, body) as reply:
                head = passage.filtered(Answer(reply.status, reply.headers, source="service"))
                await self._stream(scope, head, reply, send)
                return head.status
        except Failed as failure:
            _log.warning("a service could not be asked", service=passage.service.name, why=str(failure))
            return await self._answer(passage, passage.exchange.error(failure.status, str(failure)), send)

    async def _stream(self, scope: Scope, head: Answer, reply: Reply, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101
        if head.headers.get("content-type").startswith("text/event-stream"):
            self._streams.add(task)
        try:
            await send({"type": "http.response.start", "status": head.status, "headers": head.headers.raw()})
            # One chunk at a time: while the client does not take it, nothing more is read from the service.
            async for chunk in reply.chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except BaseException as error:
            # The answer has begun, so all that can be said is that it is not whole.
            abort(scope)
            if not isinstance(error, Exception):
                raise
            _log.warning("an answer broke off", why=repr(error))
        else:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._streams.discard(task)

    async def _websocket(self, passage: Passage, answer: Answer | None, receive: Receive, send: Send) -> int:
        if answer is None and passage.service is not None:
            try:
                await pass_on(passage.service, passage.target, passage.exchange, receive, send)
            except Failed as failure:
                answer = passage.exchange.error(failure.status, str(failure))
            else:
                return 101
        assert answer is not None  # noqa: S101
        return await self._answer(passage, answer, send, kind="websocket.http.response")

    async def _answer(self, passage: Passage, answer: Answer, send: Send, kind: str = "http.response") -> int:
        passage.filtered(answer)
        answer.headers.set("Content-Length", str(len(answer.body)))
        await send({"type": f"{kind}.start", "status": answer.status, "headers": answer.headers.raw()})
        await send({"type": f"{kind}.body", "body": answer.body})
        return answer.status


def _exchange(scope: Scope, body: Body) -> Exchange:
    return Exchange(
        method=scope.get("method", "GET"),
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=Headers.of_raw(scope["headers"]),
        client=scope["client"][0] if scope.get("client") else "",
        read_body=body.read,
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
        request_id=exchange.headers.get("x-request-id")[:64] or None,
    )
