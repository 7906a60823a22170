"""Serves the gateway on loopback, from the bound port until a signal."""

import asyncio
import math
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import structlog
import uvicorn

from kong.standin.configuration import Configuration
from kong.standin.gateway import Gateway
from kong.standin.protocol import speaking
from kong.standin.upstream import Upstream

HOST = "127.0.0.1"
"""There is no setting for it: what stands in for Kong in development must not be reached from elsewhere."""

_log = structlog.get_logger("gateway")
_MOST_CONNECTIONS = 1000
_KEEP_ALIVE_SECONDS = 65
_LAST_REQUESTS_SECONDS = 5.0
_SEND_BUFFER_BYTES = 128 * 1024


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(port: int) -> socket.socket:
    """A listening socket. Exits with status 1 and says why when the port cannot be had."""
    try:
        listener = socket.create_server((HOST, port), backlog=1024)
    except OSError as error:
        sys.exit(f"cannot listen on {HOST}:{port}: {error.strerror}; is another process using the port?")
    # Its connections inherit it. The system would let it grow to megabytes for each client that does not read.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
    return listener


@asynccontextmanager
async def serving(configuration: Configuration, listener: socket.socket) -> AsyncIterator[None]:
    """Serves as long as the block lasts; then requests in flight are finished and streams ended."""
    upstream = Upstream()
    gateway = Gateway(configuration, upstream)
    server = _Server(_config(gateway))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    _log.warning(
        "listening; this stands in for Kong in development, it is no gateway for production",
        address=f"{HOST}:{listener.getsockname()[1]}",
    )
    try:
        yield
    finally:
        gateway.end_streams()
        server.should_exit = True
        await task
        await upstream.close()


def _config(gateway: Gateway) -> uvicorn.Config:
    app: Any = gateway
    return uvicorn.Config(
        app,
        http=speaking(gateway.malformed),
        ws="websockets-sansio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(_LAST_REQUESTS_SECONDS),
        ws_max_size=2**20,
    )
