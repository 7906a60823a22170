"""Reads the body of a request, with the size limit and the timeout of Kong's nginx."""

import asyncio

from starlette.types import Message, Receive

from kong.dev_gateway.exchange import Exit, error

MAX_BYTES = 256 * 1024
"""KONG_NGINX_HTTP_CLIENT_MAX_BODY_SIZE in docker-compose.yml."""
_SILENCE_SECONDS = 10.0  # KONG_NGINX_HTTP_CLIENT_BODY_TIMEOUT


async def read(receive: Receive) -> bytes:
    """Return the whole body. Raise Exit: 413 if it is too large, 408 after 10 s without data, 400 on a disconnect."""
    collected = bytearray()
    while True:
        message = await _next(receive)
        if message["type"] == "http.disconnect":
            raise Exit(error(400, "Bad request"))
        collected += message.get("body", b"")
        if len(collected) > MAX_BYTES:
            raise Exit(error(413, "Payload too large"))
        if not message.get("more_body", False):
            return bytes(collected)


async def _next(receive: Receive) -> Message:
    try:
        async with asyncio.timeout(_SILENCE_SECONDS):
            return await receive()
    except TimeoutError:
        raise Exit(error(408, "Request timeout")) from None


async def until_disconnected(receive: Receive) -> None:
    """Return when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
