"""A DNS server on loopback for one name, which exists only from the moment the test chooses."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_RESPONSE, _NO_SUCH_NAME = 0x8180, 0x8183
_TYPE_A = b"\x00\x01"
_NAME_OF_QUESTION, _CLASS_AND_TTL = b"\xc0\x0c", b"\x00\x01\x00\x00\x00\x00"


class NameServer(asyncio.DatagramProtocol):
    """Answers queries for addresses with 127.0.0.1 while `name_exists`, else with NXDOMAIN."""

    def __init__(self) -> None:
        self.name_exists = False
        self.lookups = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """Store the transport."""
        self._transport = transport

    @property
    def port(self) -> int:
        """The UDP port on which it listens."""
        return int(self._transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one query."""
        question = data[12 : data.index(b"\x00", 12) + 5]
        is_address = question[-4:-2] == _TYPE_A
        self.lookups += is_address
        answers = b""
        if self.name_exists and is_address:
            address = socket.inet_aton("127.0.0.1")
            answers = _NAME_OF_QUESTION + _TYPE_A + _CLASS_AND_TTL + len(address).to_bytes(2, "big") + address
        flags = _RESPONSE if self.name_exists else _NO_SUCH_NAME
        counts = (flags, 1, bool(answers), 0, 0)
        header = data[:2] + b"".join(int(count).to_bytes(2, "big") for count in counts)
        self._transport.sendto(header + question + answers, addr)


@asynccontextmanager
async def name_server() -> AsyncIterator[NameServer]:
    """Run a DNS server for the duration of the block."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        transport.close()
