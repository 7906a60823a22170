"""How requests and answers go through the gateway: in pieces, bounded, and ended when either side leaves."""

import asyncio
import resource
import time
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from starlette.types import Receive, Scope, Send
from websockets import Subprotocol
from websockets.asyncio.client import connect

from tests.support.echo import Echo, echo, served
from tests.support.eventually import eventually
from tests.support.ports import free_port
from tests.support.raw_http import answer, answers, request
from tests.support.standin import standin

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
    async with standin(edge=upstream.port, web=upstream.port) as url:
        yield url


def client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers=KEY, trust_env=False, timeout=20)


async def begin(send: Send, kind: bytes = b"text/event-stream") -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})


async def test_a_stream_comes_as_it_is_sent() -> None:
    heard = asyncio.Event()

    async def steps(_scope: Scope, _receive: Receive, send: Send) -> None:
        await begin(send)
        for number in range(3):
            await send({"type": "http.response.body", "body": b"%d" % number, "more_body": True})
            # The next one is sent only when this one has arrived: nothing on the way may hold it back.
            await asyncio.wait_for(heard.wait(), 10)
            heard.clear()
        await send({"type": "http.response.body", "body": b""})

    async with (
        served(steps, free_port()) as port,
        standin(edge=port) as url,
        client(url) as browser,
        browser.stream("GET", EVENTS) as stream,
    ):
        chunks = []
        async for chunk in stream.aiter_raw():
            chunks.append(chunk)
            heard.set()
    assert chunks == [b"0", b"1", b"2"]


async def test_a_client_that_leaves_ends_the_request_at_the_service() -> None:
    begun, left = asyncio.Event(), asyncio.Event()

    async def endless(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        begun.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    async with served(endless, free_port()) as port, standin(edge=port) as url, client(url) as browser:
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

    async with served(flood, free_port()) as port, standin(edge=port) as url:
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


async def test_an_answer_that_breaks_off_is_not_ended_as_if_it_were_whole() -> None:
    async def half(_scope: Scope, _receive: Receive, send: Send) -> None:
        await begin(send, b"text/plain")
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise ConnectionError

    async with served(half, free_port()) as port, standin(edge=port) as url, client(url) as browser:
        with pytest.raises(httpx.TransportError):
            await browser.get(API)


async def test_a_compressed_answer_stays_as_it_is() -> None:
    async def squeezed(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [
            (b"content-encoding", b"gzip"),
            (b"content-length", b"4"),
            (b"set-cookie", b"a=1"),
            (b"set-cookie", b"b=2"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"\x1f\x8b!!"})

    async with (
        served(squeezed, free_port()) as port,
        standin(edge=port) as url,
        client(url) as browser,
        browser.stream("GET", API) as stream,
    ):
        assert b"".join([chunk async for chunk in stream.aiter_raw()]) == b"\x1f\x8b!!"
        assert stream.headers["Content-Encoding"] == "gzip"
        assert stream.headers.get_list("Set-Cookie") == ["a=1", "b=2"]


async def test_a_service_that_is_down_is_502_and_a_slow_one_504() -> None:
    async def slow(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.Event().wait()

    async with standin(edge=free_port()) as url, client(url) as browser:
        down = await browser.get(API)
    async with (
        served(slow, free_port()) as port,
        standin(edge=port, timeouts={"read_timeout": 200}) as url,
        client(url) as browser,
    ):
        late = await browser.get(API)
    for got, status in ((down, 502), (late, 504)):
        assert got.status_code == got.json()["status"] == status
        assert got.headers["Content-Type"] == "application/problem+json"
        assert got.headers["X-Content-Type-Options"] == "nosniff"


async def test_connections_to_a_service_are_used_again(url: str, upstream: Echo) -> None:
    async with client(url) as browser:
        for _ in range(5):
            await browser.get(API)
    assert len(upstream.clients) == 1


async def test_a_body_goes_through_whole_and_with_its_length(url: str, upstream: Echo) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 1000

    async with client(url) as browser:
        assert (await browser.post(API, content=b"y" * 5000)).json()["bytes"] == 5000
        assert (await browser.post(API, content=pieces())).json()["bytes"] == 10_000
    assert upstream.seen[1].values("content-length") == ["10000"]
    assert upstream.seen[1].values("transfer-encoding") == []


async def test_a_body_that_is_too_large_is_413_declared_or_not(url: str, upstream: Echo) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 2**14

    async with client(url) as browser:
        assert (await browser.post(API, content=b"x" * (256 * 1024))).status_code == 200
        for body in (b"x" * (256 * 1024 + 1), pieces()):
            answer = await browser.post(API, content=body)
            assert (answer.status_code, answer.json()["title"]) == (413, "Content Too Large")
        expects = await browser.post(API, content=b"x" * 300_000, headers={"Expect": "100-continue"})
        assert expects.status_code == 417
    assert len(upstream.seen) == 1


async def test_what_belongs_to_one_connection_stays_there(url: str, upstream: Echo) -> None:
    await answer(url, request(API, "x-api-key: demo-key", "Keep-Alive: 5", "TE: gzip", "X-Forwarded-For: 6.6.6.6"))
    seen = upstream.seen[0]
    assert not {"keep-alive", "te"} & {name for name, _ in seen.headers}
    assert seen.values("host") == [f"127.0.0.1:{upstream.port}"]
    assert seen.values("x-forwarded-for") == ["6.6.6.6, 127.0.0.1"]
    assert seen.values("x-forwarded-host") == ["localhost"]
    assert seen.values("via") == ["1.1 kong"]


async def test_requests_on_one_connection_have_each_their_own_caller(url: str, upstream: Echo) -> None:
    known = f"GET {API} HTTP/1.1\r\nHost: x\r\nx-api-key: guest-key\r\n\r\n".encode()
    both = await answers(url, known, request(API))
    assert [each.status for each in both] == [200, 401]
    assert len(upstream.seen) == 1


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 4", "Content-Length: 5"),
        ("Content-Length: 4", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked, gzip",),
        ("Bad Name: x",),
        ("X-Long: " + "x" * 100_000,),
    ],
)
async def test_what_two_servers_could_read_in_two_ways_is_refused(
    url: str, upstream: Echo, headers: tuple[str, ...]
) -> None:
    hidden = f"0\r\n\r\nGET {API} HTTP/1.1\r\nHost: x\r\nx-api-key: demo-key\r\n\r\n"
    got = await answers(url, request(API, *headers, method="POST", body=hidden))
    assert got[0].status in (400, 401)
    assert len(upstream.seen) == 0
    assert got[0].header("content-type") == "application/problem+json"


async def test_head_has_no_body(url: str) -> None:
    async with client(url) as browser:
        assert (await browser.head(API)).content == b""


async def test_a_web_socket_goes_through_both_ways() -> None:
    async def shout(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][0]})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"].upper()})

    async with (
        served(shout, free_port(), ws="websockets-sansio") as port,
        standin(web=port) as url,
        connect(
            url.replace("http", "ws") + "/hot",
            subprotocols=[Subprotocol("vite-hmr")],
            proxy=None,
        ) as socket,
    ):
        assert socket.subprotocol == "vite-hmr"
        await socket.send("reload")
        assert await asyncio.wait_for(socket.recv(), 10) == "RELOAD"


async def test_a_web_socket_of_a_stranger_is_refused(url: str) -> None:
    upgrade = ("Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    lines = [f"GET {API} HTTP/1.1", "Host: x", "Connection: Upgrade", *upgrade, "", ""]
    assert (await answer(url, "\r\n".join(lines).encode())).status == 401


async def test_it_stops_at_once_though_a_stream_is_open() -> None:
    async def endless(_scope: Scope, _receive: Receive, send: Send) -> None:
        await begin(send)
        await send({"type": "http.response.body", "body": b"\n", "more_body": True})
        await asyncio.Event().wait()

    async with served(endless, free_port()) as port:
        async with standin(edge=port) as url:
            reader, writer = await asyncio.open_connection(httpx.URL(url).host, httpx.URL(url).port)
            writer.write(request(EVENTS, "x-api-key: demo-key"))
            await reader.readuntil(b"\r\n\r\n")
            begun = time.monotonic()
        assert time.monotonic() - begun < 3
        writer.close()
