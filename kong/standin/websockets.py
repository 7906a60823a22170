"""Passes a WebSocket through, message by message: a development server for web pages talks over one."""

import asyncio
from typing import Any

import websockets
from starlette.types import Receive, Send
from websockets.asyncio.client import ClientConnection, connect

from kong.standin.configuration import Service
from kong.standin.exchange import Exchange
from kong.standin.upstream import Failed, request_headers

_MOST_BYTES = 2**20
_MOST_MESSAGES = 16
_OF_THE_HANDSHAKE = (
    "host",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
    "sec-websocket-protocol",
)


async def pass_on(service: Service, target: str, exchange: Exchange, receive: Receive, send: Send) -> None:
    """Opens a WebSocket to the service and passes messages both ways until one side ends. Raises Failed before that."""
    wanted = [each.strip() for each in exchange.headers.get("sec-websocket-protocol").split(",") if each.strip()]
    headers = request_headers(service, exchange, b"")
    headers.remove(*_OF_THE_HANDSHAKE)
    await receive()  # websocket.connect
    try:
        upstream = await connect(
            f"ws://{service.host}:{service.port}{target}",
            additional_headers=list(headers),
            subprotocols=[websockets.Subprotocol(each) for each in wanted] or None,
            user_agent_header=None,
            compression=None,
            proxy=None,
            open_timeout=service.connect_timeout,
            max_size=_MOST_BYTES,
            max_queue=_MOST_MESSAGES,
        )
    except (OSError, TimeoutError, websockets.WebSocketException) as error:
        raise Failed(502, "An invalid response was received from the upstream server") from error
    async with upstream:
        await send({"type": "websocket.accept", "subprotocol": upstream.subprotocol})
        both = [asyncio.create_task(_up(receive, upstream)), asyncio.create_task(_down(upstream, send))]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in both:
                each.cancel()
            await asyncio.gather(*both, return_exceptions=True)


async def _up(receive: Receive, upstream: ClientConnection) -> None:
    while (message := await receive())["type"] == "websocket.receive":
        text = message.get("text")
        await upstream.send(text if text is not None else message.get("bytes") or b"")


async def _down(upstream: ClientConnection, send: Send) -> None:
    code: Any = 1000
    try:
        async for message in upstream:
            kind = "text" if isinstance(message, str) else "bytes"
            await send({"type": "websocket.send", kind: message})
        code = upstream.close_code or 1000
    except websockets.ConnectionClosed:
        code = 1011
    await send({"type": "websocket.close", "code": code})
