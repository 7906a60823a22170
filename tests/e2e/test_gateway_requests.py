"""Attacks with unusual paths, headers, bodies and methods, which Kong and the edge could interpret differently."""

import asyncio
import json
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.kong import raw_http
from tests.support.kong.dev_gateway import Change, Document, drop_plugin, plugins_of, service
from tests.support.kong.gateway import DEMO_KEY, SESSION, TASKS, Gateway, only_kong, stopped_by

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "x-api-key: demo-key"


def api_paths(path: str) -> Change:
    def change(file: Document) -> None:
        for route in service(file, "api")["routes"]:
            route["paths"] = [path]

    return change


async def reaches_the_api(gateway: Gateway, target: str) -> bool:
    """Return whether a request without a credential gets 401. All paths outside the API are the public page."""
    return (await gateway.raw(target)).status == 401


@stopped_by("route api-session: paths", api_paths("/api/"))
async def test_no_spelling_of_the_path_bypasses_the_api(gateway: Gateway) -> None:
    targets = (
        *("/api", "/api?q=1", "//api", "/api/", "//api/x", "/api//x", "/%61pi/x", "/x/../api/y", "/x/%2e%2e/api/y"),
        *("http://localhost/api/x", "/api/..%2fx", "/api/%252e%252e/x", "/api/..\\x"),
    )
    assert [target for target in targets if not await reaches_the_api(gateway, target)] == []


@stopped_by("route api-session: paths", api_paths("/api"))
async def test_a_path_that_only_starts_like_the_api_is_not_sent_to_it(gateway: Gateway) -> None:
    targets = (
        *("/apix", "/api.json", "/api;a=1/x", "/api%2fx", "/api%20/x", "/api%5Cx", "/API"),
        *("/api/../x", "/api/%2e%2e/x", "/api/.."),
    )
    assert [target for target in targets if await reaches_the_api(gateway, target)] == []


@pytest.mark.parametrize("target", ["/api/%00", "/%zz", "/../api/v1/session"])
async def test_a_malformed_path_is_400(gateway: Gateway, target: str) -> None:
    assert (await gateway.raw(target, KEY)).status == 400


# E16
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"])
async def test_operator_endpoints_of_the_edge_are_not_reachable(gateway: Gateway, path: str) -> None:
    answer = await gateway.send(path, DEMO_KEY)
    assert "serving" not in answer.text.lower()
    assert "process_resident_memory_bytes" not in answer.text
    assert "alive" not in answer.text


# E16
@pytest.mark.parametrize(
    "path",
    [
        "/task.v1.TaskEventsService/ConfirmEvents",
        "/notify.v1.NotificationEventsService/WatchNotificationEvents",
        "/notify.v1.DeadLetterService/DiscardDeadLetters",
        "/TASK.v1.TaskService/CreateTask",
    ],
)
async def test_services_inside_the_mesh_have_no_route(gateway: Gateway, path: str) -> None:
    answer = await gateway.send(path, DEMO_KEY, ("Content-Type", "application/grpc"), method="POST")
    assert answer.status_code == 404


# D15
@stopped_by("plugins: pre-function", drop_plugin("pre-function"))
async def test_more_headers_than_the_gateway_reads_are_rejected(gateway: Gateway) -> None:
    filler = [f"X-{number}: 1" for number in range(120)]
    assert (await gateway.raw(SESSION, KEY, *filler)).status == 431
    assert (await gateway.raw(SESSION, *filler, KEY)).status == 431
    assert (await gateway.raw(SESSION, KEY, *filler[:90])).status == 200


# D15, C12
@pytest.mark.parametrize("length", [8_200, 10_000, 33_000, 100_000])
async def test_a_header_line_of_more_than_8_kib_is_refused(gateway: Gateway, length: int) -> None:
    assert (await gateway.raw(SESSION, KEY, f"Idempotency-Key: {'x' * length}")).status == 400


# D15
@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        ("Transfer-Encoding : chunked",),
    ],
)
async def test_no_second_request_is_smuggled_in_the_body_of_another(gateway: Gateway, headers: tuple[str, ...]) -> None:
    smuggled = f"0\r\n\r\nDELETE {TASKS}/x HTTP/1.1\r\nHost: x\r\n{KEY}\r\n\r\n"
    first = raw_http.request(TASKS, *headers, method="POST", body=smuggled).replace(b"Connection: close\r\n", b"")
    answers = await raw_http.answers(gateway.url, first, within=70)
    assert [answer.status for answer in answers][:1] in ([400], [401], [501])
    assert 404 not in [answer.status for answer in answers]


# D16
@stopped_by("plugins: pre-function", drop_plugin("pre-function"))
async def test_a_request_id_that_would_spoil_a_log_is_replaced(gateway: Gateway) -> None:
    for name in ("X-Request-ID", "X_Request_Id"):
        for bad in ("x" * 4_000, "short", '"},{"', "\x1b[31mred", "${jndi:ldap://x}", "with space"):
            answer = await gateway.send(SESSION, DEMO_KEY, (name, bad))
            if answer.status_code == 400:
                continue  # not even HTTP
            assert re.fullmatch(r"[A-Za-z0-9-]{8,64}", answer.headers["X-Request-ID"])
            assert answer.headers["X-Request-ID"] != bad
    good = "0f8fad5b-d9cb-469f-a165-70867728950e"
    assert (await gateway.send(SESSION, DEMO_KEY, ("X-Request-ID", good))).headers["X-Request-ID"] == good


# D4
async def test_a_body_of_more_than_256_kib_is_refused_declared_or_not(gateway: Gateway) -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 2**14

    kind = ("Content-Type", "application/json")
    for body in (b"x" * (2**18 + 1), in_pieces()):
        answer = await gateway.send(TASKS, DEMO_KEY, kind, method="POST", content=body)
        assert (answer.status_code, answer.json()["reason"]) == (413, "CONTENT_TOO_LARGE")


# D4
async def test_a_client_without_a_credential_is_rejected_before_the_body_is_read(gateway: Gateway) -> None:
    unfinished = raw_http.request(TASKS, "Content-Length: 100000", method="POST", body="{")
    for _ in range(20):
        assert (await raw_http.first_answer(gateway.url, unfinished)).status == 401


# D6
async def test_clients_that_never_finish_a_body_leave_room_for_others(gateway: Gateway) -> None:
    url, million = httpx.URL(gateway.url), b"x" * 2**20
    stalled = []
    for number in range(200):
        target, method = ((TASKS, "POST"), ("/", "GET"))[number % 2]
        _, writer = await asyncio.open_connection(url.host, url.port)
        head = f"{method} {target} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n"
        writer.write(head.encode() + million)
        stalled.append(writer)
    content = b'{"title": "Stays", "description": "' + b"x" * 9_000 + b'"}' + b" " * 90_000
    answer = await gateway.send(TASKS, DEMO_KEY, ("Content-Type", "application/json"), method="POST", content=content)
    for writer in stalled:
        writer.transport.abort()
    assert answer.status_code == 201


# D4
async def test_compressed_bodies_are_not_decompressed(gateway: Gateway) -> None:
    lines = (DEMO_KEY, ("Content-Type", "application/json"), ("Content-Encoding", "gzip"))
    answer = await gateway.send(TASKS, *lines, method="POST", content=b"\x1f\x8b\x08" + b"\0" * 100)
    assert answer.status_code == 415


# D12: Kong removes the headers that Connection names
@stopped_by("plugins: pre-function", drop_plugin("pre-function"))
async def test_the_response_has_the_request_id_of_the_edge(gateway: Gateway) -> None:
    for connection in ("close", "close, X-Request-ID", "X-Mesh-Token"):
        answer = await gateway.raw(f"{TASKS}/x", KEY, f"Connection: {connection}")
        assert answer.status == 404
        assert answer.header("x-request-id") in answer.body


# D18
async def test_a_method_in_a_header_is_ignored_and_trace_refused(gateway: Gateway) -> None:
    created = await gateway.send(TASKS, DEMO_KEY, method="POST", json={"title": "Stays"})
    path = created.headers["Location"]
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        await gateway.send(f"{path}:undelete", DEMO_KEY, (name, "DELETE"), method="POST")
        assert (await gateway.send(path, DEMO_KEY, (name, "DELETE"))).status_code == 200
    assert (await gateway.send(path, DEMO_KEY)).json()["title"] == "Stays"
    assert (await gateway.send(path, DEMO_KEY, method="TRACE")).status_code == 405


# E9: security headers
@stopped_by("plugins: response-transformer", drop_plugin("response-transformer"))
async def test_the_page_cannot_be_framed(gateway: Gateway) -> None:
    answer = await gateway.send("/")
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "Server" not in answer.headers


def removing_nosniff(file: Document) -> None:
    for each in plugins_of(file, "response-transformer"):
        each["config"] = {**each["config"], "remove": {"headers": ["x-content-type-options"]}}


def request_line(text: str, *headers: str, body: str = "") -> bytes:
    return "\r\n".join([text, "Host: localhost", "Connection: close", *headers, "", body]).encode()


KEYED = "x-api-key: demo-key"
LENGTHY = (KEYED, "Content-Length: 300000")
HUGE_CHUNK = f"50000\r\n{'x' * 0x50000}"
ANSWERS = [
    (200, request_line(f"GET {SESSION} HTTP/1.1", KEYED)),
    (200, request_line("GET /api/docs HTTP/1.1", KEYED)),
    (200, request_line("GET / HTTP/1.1")),
    (401, request_line(f"GET {SESSION} HTTP/1.1")),
    (401, request_line("GET /api/v1/events HTTP/1.1")),
    (404, request_line(f"GET {TASKS}/x HTTP/1.1", KEYED)),
    (404, request_line("POST /nowhere HTTP/1.1")),
    (405, request_line(f"DELETE {SESSION} HTTP/1.1", KEYED)),
    (405, request_line(f"TRACE {TASKS} HTTP/1.1")),
    (413, request_line(f"POST {TASKS} HTTP/1.1", *LENGTHY)),
    (
        413,
        request_line(f"POST {TASKS} HTTP/1.1", KEYED, "Transfer-Encoding: chunked", body=HUGE_CHUNK),
    ),
    (414, request_line(f"GET /{'x' * 9_000} HTTP/1.1")),
    (415, request_line("POST /task.v1.TaskService/ListTasks HTTP/1.1", "Content-Type: application/json")),
    (431, request_line(f"GET {SESSION} HTTP/1.1", *(f"X-{number}: 1" for number in range(120)))),
    (400, request_line("GET /%zz HTTP/1.1")),
    (400, request_line(f"GET {SESSION} HTTP/1.1", f"X-Long: {'x' * 9_000}")),
    *(
        pytest.param(status, request, marks=only_kong)
        for status, request in (
            (400, request_line(f"POST {TASKS} HTTP/1.1", KEYED, "Transfer-Encoding: chunked", body="zz\r\n")),
            (400, request_line(f"POST {TASKS} HTTP/1.1", "Content-Length: 5", "Content-Length: 6", body="hello")),
            (400, request_line("nonsense")),
            (501, request_line(f"POST {TASKS} HTTP/1.1", KEYED, "Transfer-Encoding: gzip, chunked")),
            (505, request_line(f"GET {SESSION} HTTP/7.1", KEYED)),
        )
    ),
]


# E9, E15: responses of the edge, of plugins, of Kong and of nginx
@pytest.mark.parametrize(("status", "request_"), ANSWERS)
async def test_every_response_has_the_security_headers(gateway: Gateway, status: int, request_: bytes) -> None:
    answer = await raw_http.first_answer(gateway.url, request_)
    assert answer.status == status
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("referrer-policy") in ("no-referrer", "same-origin")
    assert "frame-ancestors 'none'" in answer.header("content-security-policy")
    if status >= 400:
        problem = json.loads(answer.body)
        assert answer.header("content-type") == "application/problem+json"
        assert (problem["status"], problem["request_id"]) == (status, answer.header("x-request-id"))
        assert "Error" not in (problem["title"], problem["reason"])
        assert "kong" not in answer.body.lower()


# E9: a header that is in `remove` is not added again
@stopped_by("service api: response-transformer: not remove nosniff", removing_nosniff)
async def test_api_responses_have_nosniff(gateway: Gateway) -> None:
    assert (await gateway.send(SESSION, DEMO_KEY)).headers["X-Content-Type-Options"] == "nosniff"


# E15
@stopped_by("plugins: post-function", drop_plugin("post-function"))
async def test_errors_of_the_gateway_are_problem_json(gateway: Gateway) -> None:
    assert (await gateway.send(SESSION)).headers["Content-Type"] == "application/problem+json"


# F1: KONG_NGINX_HTTP_CLIENT_HEADER_TIMEOUT and _BODY_TIMEOUT are 10 s
@only_kong
@pytest.mark.parametrize(
    "begun",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        request_line(f"POST {TASKS} HTTP/1.1", KEYED, "Content-Type: application/json", "Content-Length: 9"),
    ],
)
async def test_a_client_that_never_finishes_a_request_is_disconnected(gateway: Gateway, begun: bytes) -> None:
    url = httpx.URL(gateway.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(begun)
    assert b" 200" not in await asyncio.wait_for(reader.read(), 20)
    writer.close()
