"""A minimal client that uses little CPU, so that measurements show the cost of the mesh."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.faults.harness.system import as_user
from tests.support.kong.raw_http import Answer

TASKS = "/api/v1/tasks"
_AT_ONCE = 100
# The end of a head with a Content-Length.
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n(?:.+\r\n)*\r\n", re.IGNORECASE)


def head(method: str, path: str, user: str, **headers: str) -> bytes:
    """Return the head of a request as the gateway sends it for a user."""
    given = {"Host": "edge", **as_user(user), **headers}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def write(method: str, path: str, user: str, content: Any, **headers: str) -> bytes:
    """Return a request with a JSON body."""
    body = json.dumps(content).encode()
    return (
        head(method, path, user, **{"Content-Type": "application/json", **headers, "Content-Length": str(len(body))})
        + body
    )


class Connection(asyncio.Protocol):
    """A connection that sends one request at a time."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[bytes] | None = None
        self._lost = asyncio.Event()
        self._received = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    async def exchange(self, request: bytes) -> bytes:
        """Send a request and return its response, which must have a Content-Length."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._received += data
        length = _LENGTH.search(self._received)
        if length is None or self._answer is None or len(self._received) < length.end() + int(length[1]):
            return
        self._answer.set_result(self._received)
        self._received, self._answer = b"", None

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None:
            self._answer.set_exception(error or ConnectionResetError("the edge closed the connection"))
        self._lost.set()

    async def close(self) -> None:
        """Close the connection."""
        self._transport.abort()
        await self._lost.wait()


class Creator(Connection):
    """A connection that creates tasks, one at a time."""

    def __init__(self, user: str) -> None:
        super().__init__()
        self.user = user

    async def create(self, title: str) -> None:
        """Create a task and wait for the response. Raises RuntimeError if it is not 201."""
        answer = await self.ask(title)
        if answer.status != 201:
            raise RuntimeError(answer.body)

    async def ask(self, title: str, **headers: str) -> Answer:
        """Create a task and return the response."""
        received = await self.exchange(write("POST", TASKS, self.user, {"title": title}, **headers))
        first, _, body = received.decode().partition("\r\n\r\n")
        return Answer(int(first[9:12]), first, body)


class Watching(asyncio.Protocol):
    """A connection that watches events: calls `on_event` with the title of each `event`, and the current time.

    `heard` is the time of the last data, `silence` the longest time without data, in seconds.
    """

    def __init__(self, user: str, on_event: Callable[[str, float], None], event: str) -> None:
        loop = asyncio.get_running_loop()
        self.begun = loop.create_future()
        self.ended = loop.create_future()
        self.retry_ms = 0
        self.heard = time.perf_counter()
        self.silence = 0.0
        self.transport: Any = None
        self._user = user
        self._on_event = on_event
        self._event = b"event: " + event.encode()
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.transport.write(head("GET", "/api/v1/events", self._user))

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self.silence, self.heard = max(self.silence, now - self.heard), now
        *lines, self._received = (self._received + data).split(b"\n")
        is_wanted = False
        for line in lines:
            if line.startswith(b"retry: "):
                self.retry_ms = int(line[7:])
            elif line.startswith(b"id: ") and not self.begun.done():
                self.begun.set_result(None)
            elif line.startswith(b"event: "):
                is_wanted = line == self._event
            elif is_wanted and line.startswith(b"data: "):
                self._on_event(json.loads(line[6:])["title"], now)
            elif line == b"0\r" and not self.ended.done():  # the chunk that ends a complete response
                self.ended.set_result(True)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.begun.done():
            self.begun.set_exception(error or ConnectionResetError("the edge closed the connection"))
        if not self.ended.done():
            self.ended.set_result(False)


def ignore(_title: str, _at: float) -> None:
    """Do nothing with an event."""


async def creator(port: int, user: str) -> Creator:
    """Open a connection that creates tasks."""
    _, made = await asyncio.get_running_loop().create_connection(lambda: Creator(user), "127.0.0.1", port)
    return made


async def connected(port: int) -> Connection:
    """Open a connection."""
    _, made = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return made


async def watching(
    port: int, user: str, on_event: Callable[[str, float], None], event: str = "task.created"
) -> Watching:
    """Open a stream of events, and wait until it has sent its first id."""
    loop = asyncio.get_running_loop()
    _, made = await loop.create_connection(lambda: Watching(user, on_event, event), "127.0.0.1", port)
    async with asyncio.timeout(30):
        await made.begun
    return made


@asynccontextmanager
async def watched(
    port: int, users: Sequence[str], on_event: Callable[[str, float], None] = ignore
) -> AsyncIterator[list[Watching]]:
    """Open a stream for each of `users`, a hundred at a time; abort all of them after the block."""
    opened: list[Watching] = []
    try:
        for first in range(0, len(users), _AT_ONCE):
            some = users[first : first + _AT_ONCE]
            opened += await asyncio.gather(*(watching(port, user, on_event) for user in some))
        yield opened
    finally:
        for stream in opened:
            stream.transport.abort()
        await asyncio.gather(*(stream.ended for stream in opened))
