"""A TCP proxy that makes a network bad: slow, silent, cut, or a few bytes at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.support.ports import free_port

_CHUNK = 64 * 1024


class TcpProxy:
    """Stands on `port` before a server; what it does to the bytes may be changed at any time."""

    def __init__(self) -> None:
        self.port = free_port()
        self.delay_seconds = 0.0
        """How long everything is under way, in each direction."""
        self.drip_bytes: int | None = None
        """How many bytes go on in a tenth of a second; None for all of them."""
        self.replies_to_cut = 0
        """How many of the server's next replies end in the middle, with the connection."""
        self._flows = asyncio.Event()
        self._flows.set()
        self._open: set[asyncio.StreamWriter] = set()

    def fall_silent(self) -> None:
        """From now on nothing arrives, in either direction, and nobody is told."""
        self._flows.clear()

    def go_on(self) -> None:
        """What was held back arrives now."""
        self._flows.set()

    def cut(self) -> None:
        """Resets every connection."""
        for writer in self._open:
            writer.transport.abort()

    @asynccontextmanager
    async def before(self, port: int) -> AsyncIterator["TcpProxy"]:
        """Listens for as long as the block lasts, before the server on that port."""

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                back, forth = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                writer.transport.abort()
                return
            self._open |= {writer, forth}
            with suppress(OSError):
                await asyncio.gather(self._carry(reader, forth), self._carry(back, writer, is_reply=True))
            for each in (writer, forth):
                each.transport.abort()
                self._open.discard(each)

        server = await asyncio.start_server(connected, "127.0.0.1", self.port)
        try:
            yield self
        finally:
            server.close()
            self.go_on()
            self.cut()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_reply: bool = False
    ) -> None:
        while data := await reader.read(_CHUNK):
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            await self._flows.wait()
            if is_reply and self.replies_to_cut > 0:
                self.replies_to_cut -= 1
                writer.write(data[: len(data) // 2])
                raise ConnectionResetError
            await self._send(writer, data)
        writer.transport.abort()

    async def _send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        while self.drip_bytes is not None and data:
            writer.write(data[: self.drip_bytes])
            data = data[self.drip_bytes :]
            await asyncio.sleep(0.1)
        writer.write(data)
        await writer.drain()
