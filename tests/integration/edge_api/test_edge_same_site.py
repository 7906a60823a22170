"""The edge rejects writes from pages of other sites."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.edge_api.edge import Edge, edge_with_fakes
from tests.support.edge_api.fake_services import Fakes

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWN, OTHER = "https://tasks.example", "https://evil.example"
PATH = "/api/v1/tasks/01JD0000000000000000000000"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served() -> AsyncIterator[tuple[Edge, Fakes]]:
    async with edge_with_fakes(public_origins=f"{OWN},http://localhost:8000") as both:
        yield both


@pytest.mark.parametrize(
    "headers",
    [
        [("Sec-Fetch-Site", "cross-site")],
        [("Sec-Fetch-Site", "same-site"), ("Origin", OWN)],
        [("Sec-Fetch-Site", "")],
        [("Origin", OTHER)],
        [("Origin", "null")],
        [("Origin", "")],
        [("Origin", f"{OWN}.evil.example")],
        [("Origin", OWN.upper())],
        [("Origin", "http://tasks.example")],
        [("Origin", OWN), ("Origin", OTHER)],
        [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")],
        [("Sec-Fetch-Site", "same-origin"), ("Origin", OTHER)],
    ],
)
async def test_a_write_from_a_page_of_another_site_is_403_without_effect(
    served: tuple[Edge, Fakes], headers: list[tuple[str, str]]
) -> None:
    edge, fakes = served
    fakes.reset()
    for method in ("POST", "PATCH", "DELETE", "PUT"):
        answer = await edge.client.request(method, PATH, headers=headers)
        assert (answer.status_code, answer.json()["reason"]) == (403, "CROSS_SITE")
    assert fakes.tasks.behaviour.requests == []


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Sec-Fetch-Site", "same-origin"), ("Origin", OWN)],
        [("Sec-Fetch-Site", "none")],
        [("Origin", "http://localhost:8000")],
    ],
)
async def test_clients_and_the_page_itself_may_write(
    served: tuple[Edge, Fakes], headers: list[tuple[str, str]]
) -> None:
    edge, _ = served
    answer = await edge.client.post("/api/v1/tasks", json={"title": "Buy milk"}, headers=headers)
    assert answer.status_code == 201


async def test_reads_from_other_sites_are_left_to_the_browser(served: tuple[Edge, Fakes]) -> None:
    answer = await served[0].client.get("/api/v1/session", headers={"Origin": OTHER, "Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
