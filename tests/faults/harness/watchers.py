"""Who watches a mesh, and what they see."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.faults.harness.system import System, as_user
from tests.support.edge_api.sse import EventSource, event_source
from tests.support.eventually import eventually


async def watchers(mesh: System, module: str = "edge_api") -> float:
    """How many watch, on all feeds of the process together."""
    return (await mesh.metrics(module))["watchers"]


async def watchers_become(mesh: System, count: int, within: float = 20) -> None:
    """Waits until so many watch the edge."""

    async def are() -> bool:
        return await watchers(mesh) == count

    await eventually(are, within=within)


async def create(mesh: System, user: str, title: str) -> None:
    """Creates a task."""
    async with httpx.AsyncClient(base_url=mesh.edge_url, headers=as_user(user)) as client:
        answer = await client.post("/api/v1/tasks", json={"title": title})
        assert answer.status_code == 201, answer.text


@asynccontextmanager
async def source_of(
    mesh: System, user: str, last_id: str | None = None, *, edge_url: str = ""
) -> AsyncIterator[EventSource]:
    """A user's open stream of events, at the edge or at the one at `edge_url`."""
    async with (
        httpx.AsyncClient(base_url=edge_url or mesh.edge_url, headers=as_user(user)) as client,
        event_source(client, last_id) as source,
    ):
        yield source
