"""Serves the gateway on a loopback port."""

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
"""Not configurable: other machines must not reach the development gateway."""

_log = structlog.get_logger("gateway")
_MAX_CONNECTIONS = 1000
_KEEP_ALIVE_SECONDS = 65
_SHUTDOWN_SECONDS = 5
_SEND_BUFFER_BYTES = 128 * 1024


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(port: int) -> socket.socket:
    """Return a listening socket. Print the reason and exit with status 1 if the port is unavailable."""
    try:
        listener = socket.create_server((HOST, port), backlog=1024)
    except OSError as error:
        sys.exit(f"cannot listen on {HOST}:{port}: {error.strerror}; is another process using the port?")
    # Connections inherit this size. By default the kernel grows the buffer to megabytes for each client that does not
    # read.
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
    """Serve until the block ends; then cancel streams and finish the other requests.

    Raise BadConfiguration if the configuration uses an unsupported feature.
    """
    upstream = Upstream(targets)
    gateway = Gateway(Phases(configuration, clock, row_delay_seconds), upstream)
    server = _Server(_config(gateway))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    _log.warning("listening (development gateway)", address=f"{HOST}:{listener.getsockname()[1]}")
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
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
