"""Ports for the servers that tests start."""

import asyncio
import itertools
import os
import socket

# Below the ephemeral port range of the system; each worker of a parallel run has its own part.
_FIRST, _LAST, _WORKERS = 10_000, 32_000, 8
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
_share = (_LAST - _FIRST) // _WORKERS
_offsets = itertools.count(os.getpid() % _share)


def free_port() -> int:
    """Return a free TCP port on loopback that no other test gets."""
    while True:
        port = _FIRST + _worker * _share + next(_offsets) % _share
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


async def accepts_connections(port: int) -> bool:
    """Return whether a server accepts connections on a port of loopback."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
