"""Ports for the servers that tests start."""

import asyncio
import itertools
import os
import socket
from functools import cache

# Below the ephemeral port range of the system.
_FIRST, _LAST, _BLOCK = 10_000, 32_000, 1_000
_LOCAL = "127.0.0.1"
_offsets = itertools.count()


def free_port() -> int:
    """Return a free TCP port on loopback that no other process of a test run gets."""
    start, _lock = _block()
    while True:
        port = start + next(_offsets) % _BLOCK
        with socket.socket() as probe:
            try:
                probe.bind((_LOCAL, port))
            except OSError:
                continue
            return port


@cache
def _block() -> tuple[int, socket.socket]:
    """Return the first port of this process's own block, and the socket on its UDP port that reserves the block."""
    starts = range(_FIRST, _LAST, _BLOCK)
    first = os.getpid() % len(starts)
    for start in (*starts[first:], *starts[:first]):
        lock = socket.socket(type=socket.SOCK_DGRAM)
        try:
            lock.bind((_LOCAL, start))
        except OSError:
            lock.close()
        else:
            return start, lock
    raise RuntimeError(f"{len(starts)} processes already take ports from {_FIRST} to {_LAST - 1}")


async def accepts_connections(port: int) -> bool:
    """Return whether a server accepts connections on a port of loopback."""
    try:
        _, writer = await asyncio.open_connection(_LOCAL, port)
    except OSError:
        return False
    writer.close()
    return True
