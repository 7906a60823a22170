"""HTTP written by hand, for what well-behaved clients never send."""

import asyncio
from dataclasses import dataclass

import httpx


@dataclass(frozen=True)
class Answer:
    """An answer as it came."""

    status: int
    head: str
    body: str

    def header(self, name: str) -> str:
        """The value of a header, or nothing."""
        lines = (line.partition(":") for line in self.head.split("\r\n"))
        return next((value.strip() for each, _, value in lines if each.lower() == name.lower()), "")


async def answers(url: str, *requests: bytes, within: float = 10) -> list[Answer]:
    """Sends requests on one connection, without waiting for one's answer before the next; all that came back."""
    reader, writer = await asyncio.open_connection(httpx.URL(url).host, httpx.URL(url).port)
    writer.write(b"".join(requests))
    try:
        came = (await asyncio.wait_for(reader.read(), within)).decode("latin-1")
    finally:
        writer.close()
    found = []
    for text in came.split("HTTP/1.1 ")[1:]:
        head, _, body = text.partition("\r\n\r\n")
        found.append(Answer(int(head[:3]), head, body))
    return found


async def first_answer(url: str, request: bytes) -> Answer:
    """The first answer, as soon as it is whole: the server may keep the connection open for the rest of a body."""
    reader, writer = await asyncio.open_connection(httpx.URL(url).host, httpx.URL(url).port)
    writer.write(request)
    try:
        async with asyncio.timeout(20):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").removeprefix("HTTP/1.1 ")
            found = Answer(int(head[:3]), head, "")
            length = found.header("content-length")
            body = await (reader.readexactly(int(length)) if length else reader.read())
    finally:
        writer.transport.abort()
    return Answer(found.status, head, body.decode("latin-1"))


async def answer(url: str, request: bytes) -> Answer:
    """The first answer to one request."""
    return (await answers(url, request))[0]


def request(target: str, *headers: str, method: str = "GET", body: str = "") -> bytes:
    """A request that closes its connection; `headers` are lines."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", body]
    return "\r\n".join(lines).encode("latin-1")
