"""A service on a real uvicorn that records requests and returns them; `served` runs any other ASGI application."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send

from tests.support.ports import free_port

App = Callable[[Scope, Receive, Send], Awaitable[None]]


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class Seen:
    """A request as the service received it."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        """Return the values of all lines of a header."""
        return [value for each, value in self.headers if each == name]


@dataclass
class Echo:
    """The service; `seen` has the received requests, `clients` the client addresses with ports."""

    port: int
    seen: list[Seen] = field(default_factory=list)
    clients: set[Any] = field(default_factory=set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        seen = await _read(scope, receive)
        self.seen.append(seen)
        self.clients.add(tuple(scope["client"]))
        body = json.dumps({"headers": seen.headers, "path": seen.path, "bytes": len(seen.body)}).encode()
        headers = [(b"content-type", b"application/json"), (b"server", b"echo/1"), (b"x-powered-by", b"tests")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def _read(scope: Scope, receive: Receive) -> Seen:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    return Seen(scope["method"], scope["raw_path"].decode(), scope["query_string"].decode(), headers, body)


@asynccontextmanager
async def served(app: App, port: int, **options: Any) -> AsyncIterator[int]:
    """Serve an application while the block runs; yield the port."""
    server = _Server(
        uvicorn.Config(
            app, port=port, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1, **options
        )
    )
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
        await asyncio.sleep(0.01)
    yield port
    server.should_exit = True
    await task


@asynccontextmanager
async def echo() -> AsyncIterator[Echo]:
    """Serve an echo while the block runs."""
    service = Echo(free_port())
    async with served(service, service.port):
        yield service
