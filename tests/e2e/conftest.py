"""Fixtures: the gateways that the tests attack."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
import pytest_asyncio

from tests.support.kong.gateway import KONG, Gateway, gateway_to
from tests.support.stack.processes import whole_mesh
from tests.support.valkey import Valkey

_SYSTEMS = ["mesh"] if KONG else ["mesh", pytest.param("monolith", marks=pytest.mark.slow)]


@pytest.fixture(scope="session")
def edge_of_the_mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with _edge(tmp_path_factory, is_mono=False) as url:
        yield url


@pytest.fixture(scope="session")
def edge_of_the_monolith(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with _edge(tmp_path_factory, is_mono=True) as url:
        yield url


@contextmanager
def _edge(tmp_path_factory: pytest.TempPathFactory, *, is_mono: bool) -> Iterator[str]:
    # A separate Redis server: this notification service runs for the whole session and consumes all events.
    queue = Valkey(tmp_path_factory.mktemp("queue-of-the-mesh"))
    queue.start()
    try:
        with whole_mesh(tmp_path_factory.mktemp("mesh"), queue.url, is_mono=is_mono) as url:
            yield url
    finally:
        queue.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=_SYSTEMS)
async def gateway(request: pytest.FixtureRequest) -> AsyncIterator[Gateway]:
    if KONG:
        yield Gateway(KONG)
    else:
        async with gateway_to(request.getfixturevalue(f"edge_of_the_{request.param}")) as found:
            yield found


@pytest_asyncio.fixture(loop_scope="module")
async def limited_gateway(request: pytest.FixtureRequest) -> AsyncIterator[Gateway]:
    """A gateway with limits and no requests counted. For a real Kong, wait until the counters of the minute expire."""
    if KONG:
        await asyncio.sleep(61)
        yield Gateway(KONG, is_patient=False)
    else:
        async with gateway_to(request.getfixturevalue("edge_of_the_mesh"), is_limited=True) as found:
            yield found
