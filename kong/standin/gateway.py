"""The gateway as an ASGI application: one request goes through Kong's phases, in Kong's order.

rewrite → routing → access, plugin by plugin → the service → header_filter → the client. A plugin that answers itself
(`Exit`) skips the rest of access; header_filter runs for every answer, whoever made it.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.types import Receive, Scope, Send

from kong.routing import BadPath, Route, escaped, normalised
from kong.standin.bodies import Body, until_left
from kong.standin.configuration import Configuration, Service
from kong.standin.exchange import Answer, Exchange, Exit
from kong.standin.headers import Headers
from kong.standin.plugins import KNOWN
from kong.standin.plugins.base import Plugin
from kong.standin.protocol import abort
from kong.standin.upstream import Failed, Reply, Upstream
from kong.standin.websockets import pass_on

_log = structlog.get_logger("gateway")
_LONGEST_PATH = 200


@dataclass
class _Passage:
    """A request with what became of it: the plugins that were chosen for it, and where it goes."""

    exchange: Exchange
    body: Body
    plugins: list[Plugin]
    service: Service | None = None
    target: str = ""


class Gateway:
    """Serves what a configuration says."""

    def __init__(self, configuration: Configuration, upstream: Upstream) -> None:
        self._configuration = configuration
        self._upstream = upstream
        self._streams: set[asyncio.Task[Any]] = set()

    def end_streams(self) -> None:
        """Ends the answers that would never end."""
        for task in self._streams:
            task.cancel()

    def malformed(self) -> Answer:
        """What a client is told that does not speak HTTP."""
        exchange = Exchange("GET", "/", "", Headers(), "", Body.empty)
        return self._filtered(exchange.error(400, "Bad request"), exchange, self._configuration.scopes.everywhere())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or passes one WebSocket."""
        begun = time.perf_counter()
        body = Body(receive)
        passage = _Passage(_exchange(scope, body), body, self._configuration.scopes.everywhere())
        status: int | None = None
        try:
            answer = await self._admit(passage)
            if scope["type"] == "websocket":
                status = await self._websocket(passage, answer, receive, send)
            elif answer is not None:
                status = await self._answer(passage, answer, send)
            else:
                status = await self._proxy(scope, passage, receive, send)
        finally:
            _write_line(passage, status, time.perf_counter() - begun)

    async def _admit(self, passage: _Passage) -> Answer | None:
        """Takes a request through all phases before its service; the answer, where that is not the service's."""
        exchange = passage.exchange
        try:
            path = _checked_path(exchange)
            for plugin in passage.plugins:
                await plugin.rewrite(exchange)
            route = self._route(exchange, path)
            passage.service = self._configuration.services[route.service]
            passage.target = escaped(path) + (f"?{exchange.query}" if exchange.query else "")
            return await self._access(passage, route)
        except Exit as leaving:
            return leaving.answer

    def _route(self, exchange: Exchange, path: str) -> Route:
        host = exchange.headers.get("host")
        route = self._configuration.router.match(exchange.method, path, host, exchange.headers)
        if route is None:
            raise Exit(exchange.error(404, "no Route matched with those values"))
        if route.name in self._configuration.grpc_routes:
            if exchange.headers.get("content-type").startswith("application/grpc"):
                raise Exit(exchange.error(426, "Please use HTTP2 protocol"))
            raise Exit(exchange.error(415, "Non-gRPC request matched gRPC route"))
        return route

    async def _access(self, passage: _Passage, route: Route) -> Answer | None:
        passage.plugins = []
        answer: Answer | None = None
        for name in KNOWN:
            consumer = passage.exchange.consumer
            # Asked for each plugin anew, for the plugins before it may have found out who calls.
            plugin = self._configuration.scopes.find(
                name, route.service, route.name, consumer.username if consumer else None
            )
            if plugin is None:
                continue
            passage.plugins.append(plugin)
            if answer is None:
                try:
                    await plugin.access(passage.exchange)
                except Exit as leaving:
                    answer = leaving.answer
        return answer

    async def _proxy(self, scope: Scope, passage: _Passage, receive: Receive, send: Send) -> int:
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

    async def _ask(self, scope: Scope, passage: _Passage, body: bytes, send: Send) -> int:
        assert passage.service is not None  # noqa: S101
        try:
            async with self._upstream.ask(passage.service, passage.target, passage.exchange, body) as reply:
                head = self._filtered(
                    Answer(reply.status, reply.headers, source="service"), passage.exchange, passage.plugins
                )
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

    async def _websocket(self, passage: _Passage, answer: Answer | None, receive: Receive, send: Send) -> int:
        if answer is None and passage.service is not None:
            try:
                await pass_on(passage.service, passage.target, passage.exchange, receive, send)
            except Failed as failure:
                answer = passage.exchange.error(failure.status, str(failure))
            else:
                return 101
        assert answer is not None  # noqa: S101
        return await self._answer(passage, answer, send, kind="websocket.http.response")

    async def _answer(self, passage: _Passage, answer: Answer, send: Send, kind: str = "http.response") -> int:
        self._filtered(answer, passage.exchange, passage.plugins)
        answer.headers.set("Content-Length", str(len(answer.body)))
        await send({"type": f"{kind}.start", "status": answer.status, "headers": answer.headers.raw()})
        await send({"type": f"{kind}.body", "body": answer.body})
        return answer.status

    def _filtered(self, answer: Answer, exchange: Exchange, chosen: list[Plugin]) -> Answer:
        for name, value in exchange.told:
            if name.lower() == "set-cookie":
                answer.headers.add(name, value)
            else:
                answer.headers.set(name, value)
        for plugin in chosen:
            plugin.header_filter(exchange, answer)
        return answer


def _exchange(scope: Scope, body: Body) -> Exchange:
    return Exchange(
        method=scope.get("method", "GET"),
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=Headers.of_raw(scope["headers"]),
        client=scope["client"][0] if scope.get("client") else "",
        read_body=body.read,
    )


def _checked_path(exchange: Exchange) -> str:
    # What nginx itself refuses before Kong has a look.
    if exchange.method in ("TRACE", "CONNECT"):
        raise Exit(exchange.error(405, "Method not allowed"))
    if len(exchange.headers.all("host")) != 1:
        raise Exit(exchange.error(400, "Bad request"))
    try:
        return normalised(exchange.path)
    except BadPath:
        raise Exit(exchange.error(400, "Bad request")) from None


def _write_line(passage: _Passage, status: int | None, seconds: float) -> None:
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
