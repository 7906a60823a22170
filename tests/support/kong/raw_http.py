"""Sends raw HTTP/1.1, for requests that HTTP clients do not send."""

import asyncio
from dataclasses import dataclass

import httpx


@dataclass(frozen=True)
class Answer:
    """A raw response; `head` starts at the status code."""

    status: int
    head: str
    body: str

    def header(self, name: str) -> str:
        """Return the value of a header, or an empty string."""
        lines = (line.partition(":") for line in self.head.split("\r\n"))
        return next((value.strip() for each, _, value in lines if each.lower() == name.lower()), "")


async def answers(url: str, *requests: bytes, within: float = 10) -> list[Answer]:
    """Send requests on one connection without waiting (pipelining); return all responses."""
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
    """Return the first response as soon as it is complete: the server may wait for the rest of the request body."""
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
    """Send one request and return the response."""
    return (await answers(url, request))[0]


def request(target: str, *headers: str, method: str = "GET", body: str = "") -> bytes:
    """Return a request with `Connection: close`; `headers` are header lines."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", body]
    return "\r\n".join(lines).encode("latin-1")
