"""Reads what a client sends, never more than the stand-in will hold."""

import asyncio

from starlette.types import Message, Receive

from kong.standin.exchange import Answer, Exit
from kong.standin.headers import Headers

_MOST_BYTES = 8 * 2**20
_SILENCE_SECONDS = 60.0  # nginx's client_body_timeout


class Body:
    """The body of one request. It is read whole before the service is asked, as Kong's request_buffering does."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._read: bytes | None = None

    async def read(self) -> bytes:
        """The body; the second time from memory. Raises Exit with 413 or 408."""
        if self._read is None:
            self._read = await self._collect()
        return self._read

    @staticmethod
    async def empty() -> bytes:
        """The body of a request that has none."""
        return b""

    async def _collect(self) -> bytes:
        collected = bytearray()
        while True:
            message = await self._next()
            if message["type"] == "http.disconnect":
                raise Exit(_error(400))
            collected += message.get("body", b"")
            if len(collected) > _MOST_BYTES:
                raise Exit(_error(413))
            if not message.get("more_body", False):
                return bytes(collected)

    async def _next(self) -> Message:
        try:
            async with asyncio.timeout(_SILENCE_SECONDS):
                return await self._receive()
        except TimeoutError:
            raise Exit(_error(408)) from None


async def until_left(receive: Receive) -> None:
    """Returns when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _error(status: int) -> Answer:
    return Answer(status, Headers([("Content-Type", "application/json; charset=utf-8")]), b'{"message":"Bad request"}')
