"""Watchers: clients with an open event stream."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.faults.harness.system import System, as_user
from tests.support.edge_api.sse import EventSource, event_source
from tests.support.eventually import eventually


async def watchers(mesh: System, module: str = "edge_api") -> float:
    """Return the number of watchers on all feeds of a process."""
    return (await mesh.metrics(module))["watchers"]


async def watchers_become(mesh: System, count: int, within: float = 20) -> None:
    """Wait until the edge has this number of watchers."""

    async def are() -> bool:
        return await watchers(mesh) == count

    await eventually(are, within=within)


async def create(mesh: System, user: str, title: str) -> None:
    """Create a task."""
    async with httpx.AsyncClient(base_url=mesh.edge_url, headers=as_user(user)) as client:
        response = await client.post("/api/v1/tasks", json={"title": title})
        assert response.status_code == 201, response.text


@asynccontextmanager
async def source_of(
    mesh: System, user: str, last_id: str | None = None, *, edge_url: str = ""
) -> AsyncIterator[EventSource]:
    """Yield a user's open event stream, at the edge or at the one at `edge_url`."""
    async with (
        httpx.AsyncClient(base_url=edge_url or mesh.edge_url, headers=as_user(user)) as client,
        event_source(client, last_id) as source,
    ):
        yield source
