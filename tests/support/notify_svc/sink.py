"""A receiver of webhooks on loopback that records every request, and answers well or badly as it is told."""

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
    """One request as it came; names of headers are in lower case."""

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
    """Answers with a status; underscores in names of headers stand for hyphens."""

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        head = "\r\n".join([f"HTTP/1.1 {code} Told", "Connection: close", f"Content-Length: {len(body)}", *lines])
        writer.write(f"{head}\r\n\r\n{body}".encode())

    return answer


def raw(answer: str) -> Answer:
    """Answers with these bytes, and closes the connection."""

    async def write(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer.encode())

    return write


async def silence(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Never answers; ends when the client goes."""
    await reader.read()


def drip(beginning: str) -> Answer:
    """Answers with a byte now and then, for ever: each one in time for a client that waits a second for the next."""

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(beginning.encode())
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)  # what is slow here is the thing itself

    return answer


def long(size: int, taken_whole: asyncio.Event) -> Answer:
    """Answers 200 with so many bytes, as fast as it can; sets the event once all of them are taken."""

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        for _ in range(0, size, 65_536):
            writer.write(b"x" * 65_536)
            await writer.drain()
        taken_whole.set()

    return answer


class Sink:
    """Answers one request after the other as `answers` says, then all others as `default` does."""

    def __init__(self, *answers: Answer, default: Answer | None = None) -> None:
        self.port = free_port()
        self.url = f"json://127.0.0.1:{self.port}/hook"
        self.hits: list[Hit] = []
        self.open = 0
        self._answers = list(answers)
        self._default = default or status(200)

    @property
    def keys(self) -> list[str]:
        """The idempotency keys of all requests, in the order in which they came."""
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
    """A sink that is listening."""
    made = Sink(*answers, default=default)
    server = await asyncio.start_server(made.serve, "127.0.0.1", made.port, ssl=tls)
    try:
        yield made
    finally:
        server.close()
