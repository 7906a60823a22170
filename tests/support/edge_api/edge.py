"""A real edge for tests: served by uvicorn on a free port, in the event loop of the test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from opentelemetry.trace import NoOpTracer
from prometheus_client import CollectorRegistry

from chassis.background_jobs import background
from chassis.feed.feed import FeedLimits
from chassis.feed.metrics import FeedMetrics
from chassis.grpc_api.client import ClientInterceptor, ClientMetrics
from chassis.identity import MeshTokens
from edge_api import app, server
from edge_api.routes.health import Draining
from edge_api.settings import EdgeSettings
from edge_api.sse.live import Live
from edge_api.upstreams import open_upstreams
from tests.support.edge_api.fake_services import Fakes, running_fakes
from tests.support.ports import free_port

TOKEN = "a-token-of-the-mesh-for-tests-alone"


@dataclass
class Edge:
    """A running edge; `client` sends requests as the gateway does for the user ada."""

    client: httpx.AsyncClient
    url: str
    registry: CollectorRegistry
    draining: Draining
    live: Live


def as_user(name: str) -> dict[str, str]:
    """Return the headers that the gateway adds for a user."""
    return {"X-Consumer-Username": name, "X-Mesh-Token": TOKEN}


def token_file(directory: Path) -> Path:
    path = directory / "mesh-token"
    path.write_text(TOKEN + "\n")
    return path


@asynccontextmanager
async def running_edge(tokens: MeshTokens, task_port: int, notify_port: int, **given: Any) -> AsyncIterator[Edge]:
    """Serve an edge with the settings `given` for the duration of the block."""
    # Without validation, because the tokens do not come from a file.
    settings = EdgeSettings.model_construct(port=free_port(), **given)
    registry, draining = CollectorRegistry(), Draining()
    calls = ClientInterceptor(ClientMetrics(CollectorRegistry()), NoOpTracer(), tokens, settings.call_timeout_seconds)
    async with open_upstreams(f"127.0.0.1:{task_port}", f"127.0.0.1:{notify_port}", calls) as upstreams:
        limits = FeedLimits(watchers=settings.max_watchers, watchers_of_one=settings.max_watchers_per_user)
        live = Live(upstreams, calls, FeedMetrics(registry), limits)
        application = app.build(settings, tokens, upstreams, live, draining, registry, NoOpTracer())
        serving = server.Server(server.config(application, settings))
        listener = server.bind(settings.host, settings.port)
        task = asyncio.create_task(serving.serve(sockets=[listener]))
        url = f"http://127.0.0.1:{settings.port}"
        async with (
            background(live.jobs(), registry),
            httpx.AsyncClient(base_url=url, headers=as_user("ada"), timeout=10) as client,
        ):
            yield Edge(client, url, registry, draining, live)
            live.end()
        serving.should_exit = True
        await task


@asynccontextmanager
async def edge_with_fakes(**given: Any) -> AsyncIterator[tuple[Edge, Fakes]]:
    """Serve an edge and its fake services."""
    async with (
        running_fakes() as fakes,
        running_edge(MeshTokens([TOKEN]), fakes.task_port, fakes.notify_port, **given) as edge,
    ):
        yield edge, fakes
