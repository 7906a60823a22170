"""Sends requests to the services over pooled connections and streams the responses."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpcore
from starlette.datastructures import MutableHeaders

from kong.configuration import Service
from kong.dev_gateway.exchange import Exchange

Targets = Mapping[str, tuple[str, int]]
"""The host and port to connect to, by the `host:port` in a service's url. Without an entry, the url is used."""

_MAX_CONNECTIONS = 1000
_MAX_IDLE = 100
_IDLE_SECONDS = 60.0  # shorter than the edge's keep-alive timeout
_POOL_TIMEOUT_SECONDS = 5.0
_HOP_BY_HOP = (
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
    """A call to a service failed. `status` and the message are the same as Kong's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class UpstreamResponse:
    """The head of a service's response, and its body as a stream."""

    status: int
    headers: MutableHeaders
    chunks: AsyncIterator[bytes]


class Upstream:
    """The connection pool for all services."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=_MAX_CONNECTIONS,
            max_keepalive_connections=_MAX_IDLE,
            keepalive_expiry=_IDLE_SECONDS,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    @asynccontextmanager
    async def send(
        self, service: Service, target: str, exchange: Exchange, body: bytes
    ) -> AsyncIterator[UpstreamResponse]:
        """Send a request to a service. Raise Failed on an error. If the block ends early, close the connection."""
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
                    "pool": _POOL_TIMEOUT_SECONDS,
                }
            },
        )
        response = await self._send(request)
        try:
            headers = MutableHeaders(raw=[(name.lower(), value) for name, value in response.headers])
            _remove(headers, *_HOP_BY_HOP, "date")  # uvicorn sets Date
            yield UpstreamResponse(response.status, headers, response.aiter_stream())
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
    """Return the headers for the service: those of the exchange, without hop-by-hop headers, plus Kong's own."""
    given = exchange.headers
    headers = MutableHeaders(raw=list(given.raw))
    _remove(headers, *_HOP_BY_HOP, *_FORWARDED, "x-forwarded-prefix", "x-real-ip", "via", "host", "expect")
    # The header Connection lists further hop-by-hop headers.
    _remove(headers, "content-length", *(option.strip() for option in ",".join(given.getlist("connection")).split(",")))
    host, forwarded_for = given.get("host", ""), given.get("x-forwarded-for")
    headers["X-Real-IP"] = exchange.client
    headers["X-Forwarded-For"] = f"{forwarded_for}, {exchange.client}" if forwarded_for else exchange.client
    headers["X-Forwarded-Proto"] = "http"
    headers["X-Forwarded-Host"] = host.rpartition(":")[0] or host
    headers["X-Forwarded-Port"] = host.rpartition(":")[2] if ":" in host else "80"
    headers["X-Forwarded-Path"] = exchange.path
    headers["Via"] = "1.1 kong"
    return headers


def _remove(headers: MutableHeaders, *names: str) -> None:
    for name in names:
        del headers[name]
