"""Calls the services: connections are reused, and answers are passed on chunk by chunk."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpcore
from starlette.datastructures import MutableHeaders

from kong.configuration import Service
from kong.dev_gateway.exchange import Exchange

Targets = Mapping[str, tuple[str, int]]
"""Where services are instead of the `host:port` of their url."""

_MOST_CONNECTIONS = 1000
_MOST_IDLE = 100
_IDLE_SECONDS = 60.0  # the edge keeps its side open for longer
_WAIT_SECONDS = 5.0  # for a free connection
_OF_ONE_CONNECTION = (
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
)
_FORWARDED = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "x-forwarded-path")


class Failed(Exception):
    """A service could not be called; `status` and the message are Kong's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Reply:
    """The head of a service's answer, and its body as it comes."""

    status: int
    headers: MutableHeaders
    chunks: AsyncIterator[bytes]


class Upstream:
    """The pool of connections to all services."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=_MOST_CONNECTIONS,
            max_keepalive_connections=_MOST_IDLE,
            keepalive_expiry=_IDLE_SECONDS,
        )

    async def close(self) -> None:
        """Closes all connections."""
        await self._pool.aclose()

    @asynccontextmanager
    async def ask(self, service: Service, target: str, exchange: Exchange, body: bytes) -> AsyncIterator[Reply]:
        """Sends a request on; leaving the block early ends it at the service too. Raises Failed."""
        url = urlsplit(service.url)
        host, port = self._targets.get(url.netloc) or (url.hostname or "", url.port or 80)
        headers = _request_headers(exchange)
        headers["Host"] = f"{host}:{port}"
        if body or "content-length" in exchange.headers or "transfer-encoding" in exchange.headers:
            headers["Content-Length"] = str(len(body))
        request = httpcore.Request(
            method=exchange.method,
            url=httpcore.URL(scheme=b"http", host=host.encode(), port=port, target=target.encode()),
            headers=headers.raw,
            content=body,
            extensions={
                "timeout": {
                    "connect": service.connect_timeout / 1000,
                    "write": service.write_timeout / 1000,
                    "read": service.read_timeout / 1000,
                    "pool": _WAIT_SECONDS,
                }
            },
        )
        response = await self._send(request)
        try:
            headers = MutableHeaders(raw=[(name.lower(), value) for name, value in response.headers])
            _remove(headers, *_OF_ONE_CONNECTION, "date")  # uvicorn sets its own
            yield Reply(response.status, headers, response.aiter_stream())
        finally:
            await response.aclose()

    async def _send(self, request: httpcore.Request) -> httpcore.Response:
        try:
            return await self._pool.handle_async_request(request)
        except httpcore.PoolTimeout as error:
            raise Failed(503, "failure to get a connection to the upstream server") from error
        except httpcore.TimeoutException as error:
            raise Failed(504, "The upstream server is timing out") from error
        except httpcore.LocalProtocolError as error:
            raise Failed(400, "Bad request") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise Failed(502, "An invalid response was received from the upstream server") from error


def _request_headers(exchange: Exchange) -> MutableHeaders:
    """The headers that a service gets: what the plugins left, and Kong's own."""
    given = exchange.headers
    lines = MutableHeaders(raw=list(given.raw))
    _remove(lines, *_OF_ONE_CONNECTION, *_FORWARDED, "x-forwarded-prefix", "x-real-ip", "via", "host", "expect")
    _remove(lines, "content-length", *(option.strip() for option in ",".join(given.getlist("connection")).split(",")))
    host, before = given.get("host", ""), given.get("x-forwarded-for")
    lines["X-Real-IP"] = exchange.client
    lines["X-Forwarded-For"] = f"{before}, {exchange.client}" if before else exchange.client
    lines["X-Forwarded-Proto"] = "http"
    lines["X-Forwarded-Host"] = host.rpartition(":")[0] or host
    lines["X-Forwarded-Port"] = host.rpartition(":")[2] if ":" in host else "80"
    lines["X-Forwarded-Path"] = exchange.path
    lines["Via"] = "1.1 kong"
    return lines


def _remove(headers: MutableHeaders, *names: str) -> None:
    for name in names:
        del headers[name]
