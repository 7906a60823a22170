"""A local DNS server whose responses a test can change."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dns.message
import dns.rdatatype
import dns.rrset

_TTL_SECONDS = 1


class NameServer(asyncio.DatagramProtocol):
    """Responds with the address of a name in `addresses`, and with an empty response for other names."""

    def __init__(self) -> None:
        self.addresses: dict[str, str] = {}
        self.queries = 0
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        answer = dns.message.make_response(query)
        (asked,) = query.question
        self.queries += 1
        found = self.addresses.get(asked.name.to_text(omit_final_dot=True))
        if found is not None and asked.rdtype == dns.rdatatype.A:
            answer.answer.append(dns.rrset.from_text(asked.name, _TTL_SECONDS, "IN", "A", found))
        assert self._transport is not None
        self._transport.sendto(answer.to_wire(), address)


@asynccontextmanager
async def name_server() -> AsyncIterator[NameServer]:
    """Run a name server for the duration of the block."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        transport.close()
