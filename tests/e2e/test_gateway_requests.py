"""Attacks by the form of requests: paths, headers, bodies and methods that two readers could understand in two ways."""

import asyncio

import httpx
import pytest

from tests.support import raw_http
from tests.support.door import DEMO_KEY, SESSION, TASKS, Door, only_kong, stopped_by
from tests.support.standin import Change, Document, drop_plugin, service

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "x-api-key: demo-key"


def api_paths(path: str) -> Change:
    def change(file: Document) -> None:
        for route in service(file, "api")["routes"]:
            route["paths"] = [path]

    return change


async def reaches_the_api(door: Door, target: str) -> bool:
    """Whether a stranger is stopped at the API; everywhere else is the page, which is for everybody."""
    return (await door.raw(target)).status == 401


# kong.md (8)
@stopped_by("route api-session: paths", api_paths("/api/"))
async def test_no_way_to_write_the_api_gets_round_its_protection(door: Door) -> None:
    targets = (
        *("/api", "/api?q=1", "//api", "/api/", "//api/x", "/api//x", "/%61pi/x", "/x/../api/y", "/x/%2e%2e/api/y"),
        *("http://localhost/api/x", "/api/..%2fx", "/api/%252e%252e/x", "/api/..\\x"),
    )
    assert [target for target in targets if not await reaches_the_api(door, target)] == []


# kong.md (8)
@stopped_by("route api-session: paths", api_paths("/api"))
async def test_what_only_begins_like_the_api_is_not_sent_to_it(door: Door) -> None:
    targets = (
        *("/apix", "/api.json", "/api;a=1/x", "/api%2fx", "/api%20/x", "/api%5Cx", "/API"),
        *("/api/../x", "/api/%2e%2e/x", "/api/.."),
    )
    assert [target for target in targets if await reaches_the_api(door, target)] == []


# kong.md (8)
@pytest.mark.parametrize("target", ["/api/%00", "/%zz", "/../api/v1/session"])
async def test_a_path_that_nobody_should_read_is_400(door: Door, target: str) -> None:
    assert (await door.raw(target, KEY)).status == 400


# E16
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"])
async def test_what_the_edge_has_for_operators_is_not_to_be_had(door: Door, path: str) -> None:
    answer = await door.send(path, DEMO_KEY)
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
async def test_services_inside_the_mesh_have_no_route(door: Door, path: str) -> None:
    answer = await door.send(path, DEMO_KEY, ("Content-Type", "application/grpc"), method="POST")
    assert answer.status_code == 404


# D15
@stopped_by("plugins: pre-function", drop_plugin("pre-function"))
async def test_more_headers_than_the_gateway_looks_at_are_refused(door: Door) -> None:
    filler = [f"X-{number}: 1" for number in range(120)]
    assert (await door.raw(SESSION, KEY, *filler)).status == 431
    assert (await door.raw(SESSION, *filler, KEY)).status == 431
    assert (await door.raw(SESSION, KEY, *filler[:90])).status == 200


# D15
async def test_a_header_of_megabytes_is_refused(door: Door) -> None:
    assert (await door.raw(SESSION, KEY, f"X-Long: {'x' * 100_000}")).status in (400, 431)


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
async def test_no_second_request_is_smuggled_in_the_body_of_the_first(door: Door, headers: tuple[str, ...]) -> None:
    smuggled = f"0\r\n\r\nDELETE {TASKS}/x HTTP/1.1\r\nHost: x\r\n{KEY}\r\n\r\n"
    first = raw_http.request(TASKS, *headers, method="POST", body=smuggled).replace(b"Connection: close\r\n", b"")
    answers = await raw_http.answers(door.url, first, within=70)
    assert [answer.status for answer in answers][:1] in ([400], [401], [501])
    assert 404 not in [answer.status for answer in answers]


# D16
@stopped_by("plugins: pre-function", drop_plugin("pre-function"))
async def test_a_request_id_that_would_spoil_a_log_is_replaced(door: Door) -> None:
    for bad in ("x" * 10_000, "short", '"},{"', "\x1b[31mred", "${jndi:ldap://x}", "with space"):
        answer = await door.send(SESSION, DEMO_KEY, ("X-Request-ID", bad))
        if answer.status_code == 400:
            continue  # not even HTTP
        assert answer.headers["X-Request-ID"] != bad
        assert len(answer.headers["X-Request-ID"]) <= 64
    good = "0f8fad5b-d9cb-469f-a165-70867728950e"
    assert (await door.send(SESSION, DEMO_KEY, ("X-Request-ID", good))).headers["X-Request-ID"] == good


# D4
@stopped_by(
    "service api: request-size-limiting", drop_plugin("request-size-limiting", lambda file: service(file, "api"))
)
async def test_a_body_that_is_too_large_stops_at_the_gateway(door: Door) -> None:
    async def in_pieces() -> object:
        for _ in range(20):
            yield b"x" * 2**14

    kind = ("Content-Type", "application/json")
    for body in (b"x" * (2**18 + 1), in_pieces()):
        answer = await door.send(TASKS, DEMO_KEY, kind, method="POST", content=body)
        assert (answer.status_code, answer.json()["reason"]) == (413, "CONTENT_TOO_LARGE")


# D4
async def test_nothing_is_unpacked_so_nothing_explodes(door: Door) -> None:
    lines = (DEMO_KEY, ("Content-Type", "application/json"), ("Content-Encoding", "gzip"))
    answer = await door.send(TASKS, *lines, method="POST", content=b"\x1f\x8b\x08" + b"\0" * 100)
    assert answer.status_code == 415


# D18
async def test_a_method_in_a_header_is_ignored_and_trace_refused(door: Door) -> None:
    created = await door.send(TASKS, DEMO_KEY, method="POST", json={"title": "Stays"})
    path = created.headers["Location"]
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        await door.send(f"{path}:undelete", DEMO_KEY, (name, "DELETE"), method="POST")
        assert (await door.send(path, DEMO_KEY, (name, "DELETE"))).status_code == 200
    assert (await door.send(path, DEMO_KEY)).json()["title"] == "Stays"
    assert (await door.send(path, DEMO_KEY, method="TRACE")).status_code == 405


# E9's ground: what the page and the API let a browser do
@stopped_by("plugins: response-transformer", drop_plugin("response-transformer"))
async def test_the_page_is_shown_in_no_frame(door: Door) -> None:
    answer = await door.send("/")
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Server" not in answer.headers


# E15's ground: errors tell nothing of the server
@stopped_by("plugins: post-function", drop_plugin("post-function"))
async def test_the_gateways_own_errors_are_problems_and_tell_nothing_more(door: Door) -> None:
    for answer in (
        await door.send(SESSION),
        await door.send("/nowhere", method="POST"),
        await door.send(SESSION, DEMO_KEY, *((f"X-{n}", "1") for n in range(120))),
        await door.send(TASKS, DEMO_KEY, method="TRACE"),
    ):
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
        assert "kong" not in answer.text.lower()


# F1
@only_kong
async def test_a_client_that_never_finishes_its_headers_is_sent_away(door: Door) -> None:
    url = httpx.URL(door.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n")
    # KONG_NGINX_HTTP_CLIENT_HEADER_TIMEOUT says 10 s.
    assert b" 200" not in await asyncio.wait_for(reader.read(), 20)
    writer.close()
