"""The edge accepts callers only from the gateway, with the mesh token."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from chassis.identity import MeshTokens
from tests.support.edge_api.edge import TOKEN, Edge, as_user, edge_with_fakes, running_edge
from tests.support.edge_api.fake_services import Fakes
from tests.support.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

SESSION = "/api/v1/session"
Headers = list[tuple[str, str]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served() -> AsyncIterator[tuple[Edge, Fakes]]:
    async with edge_with_fakes() as both:
        yield both


async def get(edge: Edge, headers: Headers, path: str = SESSION) -> httpx.Response:
    async with httpx.AsyncClient(base_url=edge.url) as client:
        return await client.get(path, headers=headers)


async def test_the_session_returns_the_current_user(served: tuple[Edge, Fakes]) -> None:
    answer = await get(served[0], [*as_user("grace.h-1_2").items()])
    assert (answer.status_code, answer.json()) == (200, {"user": "grace.h-1_2"})


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("X-Consumer-Username", "ada")],
        [("X-Mesh-Token", TOKEN)],
        [("X-Mesh-Token", "wrong" * 5), ("X-Consumer-Username", "ada")],
        [("X-Mesh-Token", ""), ("X-Consumer-Username", "ada")],
        [("X-Mesh-Token", TOKEN), ("X-Consumer-Username", "")],
        [("X-Mesh-Token", TOKEN), ("X-Consumer-Username", "a b")],
        [("X-Mesh-Token", TOKEN), ("X-Consumer-Username", "a" * 65)],
        [("X-Mesh-Token", TOKEN), ("X-Consumer-Username", "ada"), ("X-Consumer-Username", "eve")],
        [("X-Mesh-Token", TOKEN), ("X-Mesh-Token", TOKEN), ("X-Consumer-Username", "ada")],
    ],
)
async def test_any_other_caller_is_401(served: tuple[Edge, Fakes], headers: Headers) -> None:
    edge, fakes = served
    fakes.reset()
    for path in (SESSION, "/api/v1/tasks", "/api/v1/notifications", "/api/v1/nope"):
        answer = await get(edge, headers, path)
        assert answer.status_code == 401
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert fakes.tasks.behaviour.requests == []


async def test_an_unknown_caller_is_refused_before_the_body_is_read(served: tuple[Edge, Fakes]) -> None:
    async with httpx.AsyncClient(base_url=served[0].url) as stranger:
        answer = await stranger.post("/api/v1/tasks", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 401


async def test_both_tokens_of_a_rotation_are_accepted() -> None:
    new = "the-next-token-of-the-mesh"
    async with running_edge(MeshTokens([new, TOKEN]), free_port(), free_port()) as edge:
        for token in (new, TOKEN):
            answer = await get(edge, [("X-Mesh-Token", token), ("X-Consumer-Username", "ada")])
            assert answer.status_code == 200


async def test_without_configured_tokens_the_edge_accepts_no_caller() -> None:
    async with running_edge(MeshTokens([]), free_port(), free_port()) as edge:
        for headers in ([], [*as_user("admin").items()]):
            assert (await get(edge, headers)).status_code == 401


async def test_the_next_request_on_a_connection_does_not_inherit_the_caller(served: tuple[Edge, Fakes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(served[0].url).port)
    known = f"GET {SESSION} HTTP/1.1\r\nHost: x\r\nX-Mesh-Token: {TOKEN}\r\nX-Consumer-Username: ada\r\n\r\n"
    writer.write(f"{known}GET {SESSION} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answers = (await asyncio.wait_for(reader.read(), 5)).decode()
    writer.close()
    await writer.wait_closed()
    assert answers.count("HTTP/1.1 200") == 1
    assert answers.count("HTTP/1.1 401") == 1
