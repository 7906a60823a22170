"""A TCP proxy that simulates network faults: delay, silence, lost connections, low bandwidth."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.support.ports import free_port

_CHUNK = 64 * 1024


class TcpProxy:
    """Forwards connections on `port` to a server; its faults can be changed at any time."""

    def __init__(self) -> None:
        self.port = free_port()
        self.delay_seconds = 0.0
        """The delay in each direction."""
        self.drip_bytes: int | None = None
        """The number of bytes to forward per 0.1 s; None for no limit."""
        self.replies_to_cut = 0
        """The number of the server's next replies to cut in half, together with the connection."""
        self._flows = asyncio.Event()
        self._flows.set()
        self._open: set[asyncio.StreamWriter] = set()

    def fall_silent(self) -> None:
        """Hold back all data in both directions, without closing connections."""
        self._flows.clear()

    def go_on(self) -> None:
        """Forward the data that was held back, and all further data."""
        self._flows.set()

    def cut(self) -> None:
        """Reset every connection."""
        for writer in self._open:
            writer.transport.abort()

    @asynccontextmanager
    async def before(self, port: int) -> AsyncIterator["TcpProxy"]:
        """Listen for the duration of the block, and forward to the server on `port`."""

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
