"""The edge rejects bad input with an error that names the field, never with a 500, and without any effect."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.support.edge_api.edge import Edge, as_user, edge_with_fakes
from tests.support.edge_api.fake_services import Fakes

pytestmark = pytest.mark.asyncio(loop_scope="module")

TASKS = "/api/v1/tasks"
MARK = "/api/v1/notifications:markRead"
JSON = {"Content-Type": "application/json"}
ABSENT = f"{TASKS}/01JD0000000000000000000000"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served() -> AsyncIterator[tuple[Edge, Fakes]]:
    async with edge_with_fakes() as both:
        yield both


@pytest.fixture
def running(served: tuple[Edge, Fakes]) -> Iterator[tuple[Edge, Fakes]]:
    served[1].reset()
    yield served
    assert served[1].tasks.tasks == {}, "bad input had an effect"


@pytest.fixture
def edge(running: tuple[Edge, Fakes]) -> Edge:
    return running[0]


def problem(answer: httpx.Response) -> dict[str, Any]:
    """Return the problem document of an error response, and check its form."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    assert {"type", "title", "detail", "reason", "request_id"} <= body.keys()
    assert answer.headers["X-Request-ID"] == body["request_id"]
    assert "Traceback" not in answer.text
    assert "127.0.0.1" not in answer.text
    return body


def fields(answer: httpx.Response) -> set[str]:
    """Return the invalid fields of an error response."""
    assert answer.status_code == 422, answer.text
    return {violation["field"] for violation in problem(answer)["violations"]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"title": "a"',
        b'{"title": "a"} x',
        b'{"title": "a"}{}',
        b'{"title": NaN}',
        b'{"title": -Infinity}',
        b'{"title": "a", "title": "b"}',
        b"{'title': 'a'}",
        b'\xef\xbb\xbf{"title": "a"}',
        b'{"title": "\xff\xfe"}',
        b'{"title": "\xed\xa0\x80"}',
        b'{"title": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"title": ["\\ud800"]}',
        b'{"title": ' + b"9" * 10_000 + b"}",
        b"[" * 20_000 + b"]" * 20_000,
        b'{"a":' * 20_000,
        b'{"title": "a\nb"}',
        b"\x00",
        "{}".encode("utf-16"),
    ],
    ids=lambda body: repr(body[:24]),
)
async def test_invalid_json_is_400(edge: Edge, body: bytes) -> None:
    for method, path in (("POST", TASKS), ("PATCH", ABSENT), ("POST", MARK)):
        answer = await edge.client.request(method, path, content=body, headers=JSON)
        assert answer.status_code == 400
        assert problem(answer)["reason"] == "MALFORMED_JSON"


async def test_the_violations_of_100_000_unknown_keys_are_limited(edge: Edge) -> None:
    body = "{" + ",".join(f'"{i:x}":0' for i in range(25_000)) + "}"
    answer = await edge.client.post(TASKS, content=body, headers=JSON)
    assert answer.status_code == 422
    assert len(problem(answer)["violations"]) <= 20
    assert len(answer.content) < 5_000


@pytest.mark.parametrize(
    ("body", "at_fault"),
    [
        ({}, "title"),
        ({"title": 1}, "title"),
        ({"title": None}, "title"),
        ({"title": ["a"]}, "title"),
        ({"title": {"$ne": 1}}, "title"),
        ({"title": "a", "$where": "sleep(1000)"}, "$where"),
        ({"title": "a", "a.b": 1}, "a.b"),
        ({"title": "a", "__proto__": {"admin": True}}, "__proto__"),
        ({"title": "a", "status": "todo"}, "status"),
        ({"title": "a", "status": "TASK_STATUS_TODO"}, "status"),
        ({"title": "a", "status": "UNSPECIFIED"}, "status"),
        ({"title": "a", "status": 1}, "status"),
        ({"title": "a", "priority": "HIGHEST"}, "priority"),
        ({"title": "a", "priority": None}, "priority"),
        ({"title": "a", "labels": "home"}, "labels"),
        ({"title": "a", "labels": {"0": "home"}}, "labels"),
        ({"title": "a", "labels": ["b", 2]}, "labels[1]"),
        ({"title": "a", "due_time": 1893456000}, "due_time"),
        ([], ""),
        ("title", ""),
        (1, ""),
    ],
)
async def test_a_value_of_the_wrong_form_is_422_with_its_field(edge: Edge, body: Any, at_fault: str) -> None:
    assert at_fault in fields(await edge.client.post(TASKS, json=body))


@pytest.mark.parametrize(
    "name",
    ["id", "owner", "create_time", "update_time", "complete_time", "delete_time", "revision", "etag", "outbox"],
)
async def test_fields_that_only_the_service_sets_are_refused(edge: Edge, name: str) -> None:
    for value in ("x", None, 1):
        assert fields(await edge.client.post(TASKS, json={"title": "a", name: value})) == {name}
        assert fields(await edge.client.patch(ABSENT, json={name: value})) == {name}


@pytest.mark.parametrize("name", ["title", "status", "priority"])
async def test_null_for_a_required_field_is_422(edge: Edge, name: str) -> None:
    assert fields(await edge.client.patch(ABSENT, json={name: None})) == {name}


@pytest.mark.parametrize(
    ("content", "at_fault"),
    [
        ({"title": ""}, "title"),
        ({"title": " \u2003\u00a0"}, "title"),
        ({"title": "a" * 201}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"title": "a\x85b"}, "title"),
        ({"title": "a", "description": "a" * 10_001}, "description"),
        ({"title": "a", "description": "\x00"}, "description"),
        ({"title": "a", "labels": [str(i) for i in range(21)]}, "labels"),
        ({"title": "a", "labels": ["b", "b"]}, "labels[1]"),
        ({"title": "a", "labels": ["b", ""]}, "labels[1]"),
        ({"title": "a", "labels": ["b" * 51]}, "labels[0]"),
        ({"title": "a", "due_time": "1969-12-31T23:59:59Z"}, "due_time"),
        ({"title": "a", "due_time": "0001-01-01T00:00:00Z"}, "due_time"),
    ],
)
async def test_violations_of_the_service_have_rest_names(edge: Edge, content: Any, at_fault: str) -> None:
    assert at_fault in fields(await edge.client.post(TASKS, json=content))


@pytest.mark.parametrize(
    "time",
    [
        "0000-01-01T00:00:00Z",
        "2027-02-30T00:00:00Z",
        "2026-12-31T23:59:60Z",
        "2026-12-31T24:00:00Z",
        "2026-12-31T12:00:00",
        "2026-12-31",
        "2026-12-31 12:00:00Z",
        "2026-12-31T12:00:00+24:00",
        "2026-12-31T12:00:00.Z",
        "2026-W01-1T12:00:00Z",
        "20261231T120000Z",
        "\u0662\u0660\u0662\u0667-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-00:01",
        "2027-01-01T00:00:00Z\n",
        "",
        "tomorrow",
    ],
)
async def test_an_invalid_time_is_422(edge: Edge, time: str) -> None:
    assert fields(await edge.client.post(TASKS, json={"title": "a", "due_time": time})) == {"due_time"}
    assert fields(await edge.client.get(TASKS, params={"due_before": time})) == {"due_before"}


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/xml",
        "json",
        "application/jsonp",
    ],
)
async def test_a_body_of_another_type_is_415(edge: Edge, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = await edge.client.post(TASKS, content=b'{"title": "a"}', headers=headers)
    assert answer.status_code == 415
    problem(answer)


async def test_a_merge_patch_is_no_new_task_and_compressed_bodies_are_415(edge: Edge) -> None:
    for headers in ({"Content-Type": "application/merge-patch+json"}, {**JSON, "Content-Encoding": "gzip"}):
        answer = await edge.client.post(TASKS, content=b'{"title": "a"}', headers=headers)
        assert answer.status_code == 415
        problem(answer)


async def test_a_body_with_a_declared_length_beyond_the_limit_is_413_at_once(edge: Edge) -> None:
    answer = await edge.client.post(TASKS, content=b"x" * (256 * 1024 + 1), headers=JSON)
    assert (answer.status_code, problem(answer)["reason"]) == (413, "BODY_TOO_LARGE")


async def test_a_body_of_undeclared_length_is_413_before_it_is_complete(edge: Edge) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 64 * 1024 * 1024:
            sent += 64 * 1024
            yield b" " * 64 * 1024
            await asyncio.sleep(0)

    try:
        answer = await edge.client.post(TASKS, content=endless(), headers=JSON)
        assert answer.status_code == 413
        problem(answer)
    finally:
        assert sent <= 64 * 1024 * 1024


async def test_a_body_of_exactly_the_limit_is_accepted(edge: Edge) -> None:
    body = b'{"title": ""}'
    answer = await edge.client.post(TASKS, content=body.ljust(256 * 1024), headers=JSON)
    assert fields(answer) == {"title"}


async def test_headers_that_are_too_large_are_431(edge: Edge) -> None:
    answer = await edge.client.get(TASKS, headers={f"X-{i}": "a" * 8_000 for i in range(5)})
    assert answer.status_code == 431
    problem(answer)


@pytest.mark.parametrize(
    "id", ["a", "..%2f..", "x" * 1000, "0" * 24, "0" * 23, "%00", "%ff%fe", "%ed%a0%80", "a%2Fb", "a%20b", "%25"]
)
async def test_an_invalid_id_is_404(edge: Edge, id: str) -> None:
    path = f"{TASKS}/{id}"
    for answer in (
        await edge.client.get(path),
        await edge.client.patch(path, json={"title": "a"}),
        await edge.client.delete(path),
        await edge.client.post(f"{path}:undelete"),
    ):
        assert answer.status_code == 404
        problem(answer)


@pytest.mark.parametrize(
    ("query", "at_fault"),
    [
        ("page_size=-1", "page_size"),
        ("page_size=x", "page_size"),
        ("page_size=1.0", "page_size"),
        ("page_size=1_0", "page_size"),
        ("page_size=+1", "page_size"),
        ("page_size=%201", "page_size"),
        ("page_size=", "page_size"),
        ("page_size=%D9%A1", "page_size"),
        ("page_size=1&page_size=2", "page_size"),
        ("status[$ne]=x", "status[$ne]"),
        ("statuses[$ne]=x", "statuses[$ne]"),
        ("statuses=todo", "statuses[0]"),
        ("priorities=LOW&priorities=9", "priorities[1]"),
        ("order_by=title", "order_by"),
        ("order_by=create_time;drop", "order_by"),
        ("show_deleted=1", "show_deleted"),
        ("show_deleted=True", "show_deleted"),
        ("show_deleted=", "show_deleted"),
        ("due_after=yesterday", "due_after"),
        ("unknown=1", "unknown"),
    ],
)
async def test_an_invalid_query_parameter_is_422_with_its_name(edge: Edge, query: str, at_fault: str) -> None:
    assert fields(await edge.client.get(f"{TASKS}?{query}")) == {at_fault}


@pytest.mark.parametrize(("page_size", "sent"), [("0", 0), ("1000000000", 10**9), ("9" * 50, 2**31 - 1)])
async def test_a_huge_page_size_is_reduced_to_one_that_fits(
    running: tuple[Edge, Fakes], page_size: str, sent: int
) -> None:
    edge, fakes = running
    assert (await edge.client.get(TASKS, params={"page_size": page_size})).status_code == 200
    assert fakes.tasks.behaviour.requests[-1].page_size == sent


@pytest.mark.parametrize("token", ["garbage", "eyIkZ3QiOiIifQ==", "%00", "a" * 5000])
async def test_an_invalid_page_token_is_400(edge: Edge, token: str) -> None:
    answer = await edge.client.get(f"{TASKS}?page_token={token}")
    assert (answer.status_code, problem(answer)["reason"]) == (400, "INVALID_PAGE_TOKEN")


async def test_parameters_are_refused_by_operations_without_parameters(edge: Edge) -> None:
    for method, path in (
        ("POST", TASKS),
        ("PATCH", ABSENT),
        ("DELETE", ABSENT),
        ("POST", f"{ABSENT}:undelete"),
        ("POST", MARK),
        ("GET", "/api/v1/session"),
    ):
        body = None if method == "GET" else {"all": True} if path == MARK else {"title": "a"}
        answer = await edge.client.request(method, f"{path}?debug=1", json=body)
        assert fields(answer) == {"debug"}, (method, path)


@pytest.mark.parametrize("key", [b"", b"a" * 256, "caf\u00e9".encode(), b"\xff", b"a\tb"])
async def test_an_invalid_idempotency_key_is_422(edge: Edge, key: bytes) -> None:
    answer = await edge.client.post(TASKS, json={"title": "a"}, headers={b"Idempotency-Key": key})
    assert fields(answer) == {"Idempotency-Key"}


async def test_repeated_headers_are_refused(edge: Edge) -> None:
    for name in ("Idempotency-Key", "If-Match", "Content-Type"):
        headers = [*as_user("ada").items(), (name, "application/json"), (name, "application/json")]
        async with httpx.AsyncClient(base_url=edge.url) as client:
            assert fields(await client.post(TASKS, json={"title": "a"}, headers=headers)) == {name}


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PUT", "PROPFIND"])
async def test_an_unsupported_method_is_405_with_the_supported_ones(edge: Edge, method: str) -> None:
    for path, allowed in (
        (TASKS, "GET, HEAD, POST"),
        (ABSENT, "GET, HEAD, PATCH, DELETE"),
        (f"{ABSENT}:undelete", "POST"),
        (MARK, "POST"),
        ("/healthz", "GET, HEAD"),
    ):
        answer = await edge.client.request(method, path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
        assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_method_override_is_ignored(edge: Edge) -> None:
    answer = await edge.client.post(f"{TASKS}/x", headers={"X-HTTP-Method-Override": "DELETE"})
    assert answer.status_code == 405
    assert (await edge.client.get(f"{TASKS}?_method=DELETE")).status_code == 422


async def test_unknown_paths_also_get_a_problem(edge: Edge) -> None:
    for path in ("/", "/api", "/api/v2/tasks", f"{TASKS}/", f"{TASKS}/a/b", f"{TASKS}/a:explode", "/metrics", "/%00"):
        answer = await edge.client.get(path)
        assert answer.status_code == 404
        problem(answer)
