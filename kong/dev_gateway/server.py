"""Serves the gateway on loopback, from the bound port until a signal."""

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import structlog
import uvicorn

from kong.configuration import Configuration
from kong.dev_gateway.gateway import Gateway
from kong.dev_gateway.phases import Phases
from kong.dev_gateway.sessions import ROW_DELAY_SECONDS, Clock
from kong.dev_gateway.upstream import Targets, Upstream

HOST = "127.0.0.1"
"""Not a setting: a gateway for development must not be reachable from other machines."""

_log = structlog.get_logger("gateway")
_MOST_CONNECTIONS = 1000
_KEEP_ALIVE_SECONDS = 65
_LAST_REQUESTS_SECONDS = 5
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
async def serving(
    configuration: Configuration,
    targets: Targets,
    listener: socket.socket,
    clock: Clock = time.time,
    row_delay_seconds: float = ROW_DELAY_SECONDS,
) -> AsyncIterator[None]:
    """Serves as long as the block lasts; then streams are ended and the other requests finished.

    Raises BadConfiguration for what the gateway does not support.
    """
    upstream = Upstream(targets)
    gateway = Gateway(Phases(configuration, clock, row_delay_seconds), upstream)
    server = _Server(_config(gateway))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    _log.warning(
        "listening; a gateway for development, not for production",
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
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_LAST_REQUESTS_SECONDS,
    )
