"""A receiver of webhooks on loopback that records each request, and returns configurable responses."""

import asyncio
import contextlib
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.ports import free_port

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Hit:
    """One request; header names are in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes
    time: float

    @property
    def message(self) -> dict[str, Any]:
        """The body of a JSON webhook."""
        message: dict[str, Any] = json.loads(self.body)
        return message


def status(code: int, body: str = "", **headers: str) -> Answer:
    """Respond with a status. Underscores in header names stand for hyphens."""

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        head = "\r\n".join([f"HTTP/1.1 {code} Status", "Connection: close", f"Content-Length: {len(body)}", *lines])
        writer.write(f"{head}\r\n\r\n{body}".encode())

    return answer


def raw(answer: str) -> Answer:
    """Respond with these bytes, and close the connection."""

    async def write(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer.encode())

    return write


async def silence(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Never respond; return when the client disconnects."""
    await reader.read()


def drip(beginning: str) -> Answer:
    """Respond with a byte every 50 ms, forever, so that a read timeout of one second never expires."""

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(beginning.encode())
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    return answer


def long(size: int, sent_all: asyncio.Event) -> Answer:
    """Respond 200 with `size` bytes as fast as possible; set the event when all of them are sent."""

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        for _ in range(0, size, 65_536):
            writer.write(b"x" * 65_536)
            await writer.drain()
        sent_all.set()

    return answer


class Sink:
    """Responds to the first requests with `answers`, in order, and to all others with `default`."""

    def __init__(self, *answers: Answer, default: Answer | None = None) -> None:
        self.port = free_port()
        self.url = f"json://127.0.0.1:{self.port}/hook"
        self.hits: list[Hit] = []
        self.open = 0
        self._answers = list(answers)
        self._default = default or status(200)

    @property
    def keys(self) -> list[str]:
        """The idempotency keys of all requests, in order of arrival."""
        return [hit.headers["idempotency-key"] for hit in self.hits]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            self.hits.append(await _hit(reader))
            answer = self._answers.pop(0) if self._answers else self._default
            await answer(reader, writer)
            await writer.drain()
        self.open -= 1
        writer.close()


async def _hit(reader: asyncio.StreamReader) -> Hit:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    line, *fields = head.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Hit(line, headers, body, time.monotonic())


@asynccontextmanager
async def sink(
    *answers: Answer, default: Answer | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Sink]:
    """Serve a sink on a free port."""
    made = Sink(*answers, default=default)
    server = await asyncio.start_server(made.serve, "127.0.0.1", made.port, ssl=tls)
    try:
        yield made
    finally:
        server.close()
