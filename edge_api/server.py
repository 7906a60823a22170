"""Run uvicorn inside the edge's event loop, from binding the port to the end of the drain."""

import asyncio
import math
import resource
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
import uvicorn
from starlette.types import ASGIApp

from chassis.grpc_api.server import until_stopped
from edge_api.protocol import Http
from edge_api.routes.health import Draining
from edge_api.settings import EdgeSettings

_log = structlog.get_logger("server")
_KEEP_ALIVE_SECONDS = 75  # longer than the gateway's 60 s, so that it does not send on a closing connection
_BACKLOG = 1024
# libuv accepts one connection per socket in each loop iteration. With long iterations, new clients would wait seconds.
_ACCEPTED_AT_ONCE = 16
_OTHER_FILES = 200
_SEND_BUFFER_BYTES = 128 * 1024


class Server(uvicorn.Server):
    """uvicorn's server, stopped only by `should_exit`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do not handle signals: readiness must change before the server stops."""
        yield


def raise_file_limit(connections: int) -> None:
    """Raise the limit on open files to what `connections` connections need, as far as the hard limit allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + _OTHER_FILES
    if hard != resource.RLIM_INFINITY and hard < needed:
        _log.warning("open file limit too low for EDGE_MAX_CONNECTIONS", allowed=hard, needed=needed)
        needed = hard
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket. Exits with status 1 and a message if the address is not available."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        sys.exit(f"cannot listen on {host}:{port}: {error.strerror}; is another process using the port?")
    # Connections inherit it. By default, the buffer of a client that does not read can grow to megabytes.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
    return listener


async def serve(
    app: ASGIApp, listener: socket.socket, settings: EdgeSettings, draining: Draining, end_streams: Callable[[], None]
) -> None:
    """Serve until SIGTERM or SIGINT, then drain: no request in flight is lost, and event streams are ended."""
    server = Server(config(app, settings))
    async with until_stopped() as stopped:
        _log.info("listening", address=f"{settings.host}:{settings.port}")
        doubles = [listener.dup() for _ in range(_ACCEPTED_AT_ONCE - 1)]
        serving = asyncio.create_task(server.serve(sockets=[listener, *doubles]))
        stopping = asyncio.create_task(stopped.wait())
        await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        draining.begun = True
        if stopped.is_set():
            await asyncio.sleep(settings.drain_notice_seconds)
        end_streams()
        server.should_exit = True
        stopping.cancel()
        await serving
        _log.info("drained")


def config(app: ASGIApp, settings: EdgeSettings) -> uvicorn.Config:
    """Return the configuration of uvicorn."""
    return uvicorn.Config(
        app,
        http=Http,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=settings.max_connections,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.drain_seconds),
    )
