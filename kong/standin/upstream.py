"""The way to the services: their connections are kept, and what they answer goes through chunk by chunk."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpcore

from kong.standin.configuration import Service
from kong.standin.exchange import Exchange
from kong.standin.headers import Headers

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
    """A service could not be asked; `status` and the message are Kong's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Reply:
    """The head of a service's answer, and its body as it comes."""

    status: int
    headers: Headers
    chunks: AsyncIterator[bytes]


class Upstream:
    """The pool of connections to all services."""

    def __init__(self) -> None:
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
        request = httpcore.Request(
            method=exchange.method,
            url=httpcore.URL(scheme=b"http", host=service.host.encode(), port=service.port, target=target.encode()),
            headers=request_headers(service, exchange, body).raw(),
            content=body,
            extensions={
                "timeout": {
                    "connect": service.connect_timeout,
                    "write": service.write_timeout,
                    "read": service.read_timeout,
                    "pool": _WAIT_SECONDS,
                }
            },
        )
        response = await self._send(request)
        try:
            headers = Headers.of_raw(response.headers)
            headers.remove(*_OF_ONE_CONNECTION, "date")  # the server in front says when
            # httpcore.Response is typed for both of its faces; this one is asynchronous.
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


def request_headers(service: Service, exchange: Exchange, body: bytes) -> Headers:
    """The headers that a service gets: what plugins left, and Kong's own."""
    given = exchange.headers
    lines = Headers(given)
    lines.remove(*_OF_ONE_CONNECTION, *_FORWARDED, "x-forwarded-prefix", "x-real-ip", "via", "host", "expect")
    lines.remove("content-length", "x-kong-request-id")
    host = given.get("host")
    before = given.get("x-forwarded-for")
    via = given.get("via")
    own = {
        "Host": f"{service.host}:{service.port}",
        "X-Real-IP": exchange.client,
        "X-Forwarded-For": exchange.forwarded_for or (f"{before}, {exchange.client}" if before else exchange.client),
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": host.rpartition(":")[0] or host,
        "X-Forwarded-Port": host.rpartition(":")[2] if ":" in host else "80",
        "X-Forwarded-Path": exchange.path,
        "Via": exchange.via or (f"{via}, 1.1 kong" if via else "1.1 kong"),
        "X-Kong-Request-Id": exchange.request_id,
    }
    for name, value in own.items():
        lines.set(name, value)
    if body or "content-length" in given or "transfer-encoding" in given:
        lines.set("Content-Length", str(len(body)))
    return lines
