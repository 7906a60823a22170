"""Ports for the servers that tests start."""

import itertools
import os
import socket

# Below the range from which the system takes ports by itself, and a part of it for each worker of a parallel run.
_FIRST, _LAST, _WORKERS = 10_000, 32_000, 8
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
_share = (_LAST - _FIRST) // _WORKERS
_offsets = itertools.count(os.getpid() % _share)


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now, and that no other test is given."""
    while True:
        port = _FIRST + _worker * _share + next(_offsets) % _share
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
