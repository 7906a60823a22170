"""Fixtures: the gateways that the tests attack."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.support.kong.gateway import KONG, Gateway, gateway_to
from tests.support.stack.processes import whole_mesh
from tests.support.valkey import Valkey


@pytest.fixture(scope="session")
def edge_of_the_mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    # A separate Redis server: this notification service runs for the whole session and consumes all events.
    queue = Valkey(tmp_path_factory.mktemp("queue-of-the-mesh"))
    queue.start()
    try:
        with whole_mesh(tmp_path_factory.mktemp("mesh"), queue.url) as url:
            yield url
    finally:
        queue.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(request: pytest.FixtureRequest) -> AsyncIterator[Gateway]:
    if KONG:
        yield Gateway(KONG)
    else:
        async with gateway_to(request.getfixturevalue("edge_of_the_mesh")) as found:
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
