"""The development gateway streams responses, bounds memory, and ends a request when either side disconnects."""

import asyncio
import resource
import time
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from starlette.types import Receive, Scope, Send

from tests.support.eventually import eventually
from tests.support.kong.dev_gateway import dev_gateway, service
from tests.support.kong.echo import Echo, echo, served
from tests.support.kong.raw_http import answer, request
from tests.support.ports import free_port

KEY = {"x-api-key": "demo-key"}
API = "/api/v1/tasks"
EVENTS = "/api/v1/events"
MIB = 2**20


@pytest_asyncio.fixture
async def upstream() -> AsyncIterator[Echo]:
    async with echo() as service:
        yield service


@pytest_asyncio.fixture
async def url(upstream: Echo) -> AsyncIterator[str]:
    async with dev_gateway(edge=upstream.port, web=upstream.port) as url:
        yield url


def client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers=KEY, trust_env=False, timeout=20)


async def begin(send: Send, kind: bytes = b"text/event-stream") -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})


async def test_a_stream_is_forwarded_chunk_by_chunk() -> None:
    heard = asyncio.Event()

    async def steps(_scope: Scope, _receive: Receive, send: Send) -> None:
        await begin(send)
        for number in range(3):
            await send({"type": "http.response.body", "body": b"%d" % number, "more_body": True})
            # The next chunk is sent only after this one has arrived, so the test fails if the gateway buffers.
            await asyncio.wait_for(heard.wait(), 10)
            heard.clear()
        await send({"type": "http.response.body", "body": b""})

    async with (
        served(steps, free_port()) as port,
        dev_gateway(edge=port) as url,
        client(url) as browser,
        browser.stream("GET", EVENTS) as stream,
    ):
        chunks = []
        async for chunk in stream.aiter_raw():
            chunks.append(chunk)
            heard.set()
    assert chunks == [b"0", b"1", b"2"]


async def test_a_client_disconnect_ends_the_request_at_the_service() -> None:
    begun, left = asyncio.Event(), asyncio.Event()

    async def endless(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        begun.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    async with served(endless, free_port()) as port, dev_gateway(edge=port) as url, client(url) as browser:
        asking = asyncio.create_task(browser.get(API))
        await asyncio.wait_for(begun.wait(), 10)
        asking.cancel()
        await asyncio.wait_for(left.wait(), 10)


async def test_a_client_that_does_not_read_costs_little_memory() -> None:
    sent = 0

    async def flood(_scope: Scope, _receive: Receive, send: Send) -> None:
        nonlocal sent
        await begin(send)
        while sent < 300 * MIB:
            await send({"type": "http.response.body", "body": b"x" * MIB, "more_body": True})
            sent += MIB

    async with served(flood, free_port()) as port, dev_gateway(edge=port) as url:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        reader, writer = await asyncio.open_connection(httpx.URL(url).host, httpx.URL(url).port, limit=1)
        writer.write(request(EVENTS, "x-api-key: demo-key"))
        await reader.readexactly(1)

        async def has_stopped() -> bool:
            seen = sent
            await asyncio.sleep(0.3)
            return sent == seen > 0

        await eventually(has_stopped)
        assert sent < 40 * MIB
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60 * 1024
        writer.transport.abort()


async def test_a_truncated_response_is_an_error_for_the_client() -> None:
    async def half(_scope: Scope, _receive: Receive, send: Send) -> None:
        await begin(send, b"text/plain")
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise ConnectionError

    async with served(half, free_port()) as port, dev_gateway(edge=port) as url, client(url) as browser:
        with pytest.raises(httpx.TransportError):
            await browser.get(API)


async def test_a_service_that_is_down_is_502_and_a_slow_one_504() -> None:
    async def slow(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.Event().wait()

    async with dev_gateway(edge=free_port()) as url, client(url) as browser:
        down = await browser.get(API)
    async with (
        served(slow, free_port()) as port,
        dev_gateway(lambda file: service(file, "api").update(read_timeout=200), edge=port) as url,
        client(url) as browser,
    ):
        late = await browser.get(API)
    for got, status in ((down, 502), (late, 504)):
        assert got.status_code == got.json()["status"] == status
        assert got.headers["Content-Type"] == "application/problem+json"
        assert got.headers["X-Content-Type-Options"] == "nosniff"


async def test_hop_by_hop_headers_are_not_forwarded(url: str, upstream: Echo) -> None:
    await answer(url, request(API, "x-api-key: demo-key", "Keep-Alive: 5", "TE: gzip", "X-Forwarded-For: 6.6.6.6"))
    seen = upstream.seen[0]
    assert not {"keep-alive", "te"} & {name for name, _ in seen.headers}
    assert seen.values("host") == [f"127.0.0.1:{upstream.port}"]
    assert seen.values("x-forwarded-for") == ["6.6.6.6, 127.0.0.1"]
    assert seen.values("x-forwarded-host") == ["localhost"]


async def test_shutdown_does_not_wait_for_an_open_stream() -> None:
    async def endless(_scope: Scope, _receive: Receive, send: Send) -> None:
        await begin(send)
        await send({"type": "http.response.body", "body": b"\n", "more_body": True})
        await asyncio.Event().wait()

    async with served(endless, free_port()) as port:
        async with dev_gateway(edge=port) as url:
            reader, writer = await asyncio.open_connection(httpx.URL(url).host, httpx.URL(url).port)
            writer.write(request(EVENTS, "x-api-key: demo-key"))
            await reader.readuntil(b"\r\n\r\n")
            begun = time.monotonic()
        assert time.monotonic() - begun < 3
        writer.close()
