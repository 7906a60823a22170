"""Bad input is rejected in the same way through the gateway and directly at the edge, and has no effect."""

from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.faults.harness.checker import check_problem
from tests.support.edge_api.edge import as_user
from tests.support.kong.gateway import DEMO_KEY, TASKS, Gateway, Lines, not_kong

pytestmark = pytest.mark.asyncio(loop_scope="module")

ABSENT = f"{TASKS}/01JD0000000000000000000000"
JSON = ("Content-Type", "application/json")


@dataclass(frozen=True)
class Way:
    """The destination of a request, and the header lines that authenticate it."""

    gateway: Gateway
    proof: Lines


@pytest_asyncio.fixture(
    params=["through the gateway", pytest.param("straight at the edge", marks=not_kong)], loop_scope="module"
)
async def way(request: pytest.FixtureRequest, gateway: Gateway) -> Way:
    if gateway.edge and request.param == "straight at the edge":
        return Way(Gateway(gateway.edge), list(as_user("demo").items()))
    return Way(gateway, [DEMO_KEY])


@dataclass(frozen=True)
class Bad:
    """A bad request and the expected status."""

    row: str
    status: int
    method: str = "POST"
    target: str = TASKS
    body: bytes = b""
    lines: Lines = (JSON,)


def body(row: str, content: bytes, status: int, lines: Lines = (JSON,)) -> Bad:
    return Bad(row, status, body=content, lines=lines)


def query(row: str, text: str, status: int) -> Bad:
    return Bad(row, status, "GET", f"{TASKS}?{text}", lines=())


BAD = (
    body("D1", b"{", 400),
    body("D1", b'{"title": NaN}', 400),
    body("D1", b'{"title": "a", "title": "b"}', 400),
    body("D2", b'{"title": 1}', 422),
    body("D2", b'{"title": "a", "status": "todo"}', 422),
    body("D3", b'{"title": "a"}', 415, lines=(("Content-Type", "text/plain"),)),
    body("D3", b'{"title": "a"}', 415, lines=()),
    body("D4", b" " * (2**18 + 1), 413),
    body("D5", b"[" * 20_000 + b"]" * 20_000, 400),
    body("D6", b'{"title": "\\u0000"}', 422),
    body("D6", b'{"title": "\\ud800"}', 400),
    body("D6", b'{"title": "\xff\xfe"}', 400),
    body("D7", b'{"title": " "}', 422),
    body("D7", b'{"title": "' + b"a" * 201 + b'"}', 422),
    Bad("D8", 404, "GET", f"{TASKS}/{'0' * 23}", lines=()),
    Bad("D8", 404, "DELETE", ABSENT, lines=()),
    query("D9", "page_size=-1", 422),
    query("D9", "page_token=eyIkZ3QiOiIifQ==", 400),
    query("D10", "order_by=create_time;drop", 422),
    query("D11", "status[$ne]=x", 422),
    body("D11", b'{"title": {"$ne": 1}}', 422),
    body("D12", b'{"title": "a", "__proto__": {"admin": true}}', 422),
    body("D13", b'{"title": "a", "owner": "guest"}', 422),
    Bad("D13", 422, "PATCH", ABSENT, b'{"outbox": null}'),
    body("D14", b'{"title": "a", "due_time": "2027-02-30T00:00:00Z"}', 422),
    body("C12", b'{"title": "a"}', 422, lines=(JSON, ("Idempotency-Key", "k" * 256))),
    Bad("D18", 405, "OPTIONS", TASKS, lines=()),
)


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad.row} {bad.target[-12:]} {bad.body[:24]!r}")
async def test_bad_input_is_refused_the_same_way_at_the_gateway_and_the_edge(way: Way, bad: Bad) -> None:
    async def all_tasks() -> str:
        return (await way.gateway.send(f"{TASKS}?page_size=200", *way.proof)).text

    before = await all_tasks()
    answer = await way.gateway.send(bad.target, *way.proof, *bad.lines, method=bad.method, content=bad.body)
    assert answer.status_code == bad.status, answer.text
    check_problem(answer.status_code, answer.headers["Content-Type"], answer.text)
    assert await all_tasks() == before
