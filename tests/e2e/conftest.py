"""The doors that the attacks are tried on."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.support.door import KONG, LIMITED_KONG, LIMITS, Door, door_to
from tests.support.processes import whole_mesh
from tests.support.valkey import Valkey


@pytest.fixture(scope="session")
def edge_of_the_mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    # With a queue of its own: its notifier runs as long as the session, and would take the events of other tests.
    queue = Valkey(tmp_path_factory.mktemp("queue-of-the-mesh"))
    queue.start()
    try:
        with whole_mesh(tmp_path_factory.mktemp("mesh"), queue.url) as url:
            yield url
    finally:
        queue.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(request: pytest.FixtureRequest) -> AsyncIterator[Door]:
    if KONG:
        yield Door(KONG, None)
    else:
        async with door_to(request.getfixturevalue("edge_of_the_mesh")) as found:
            yield found


@pytest_asyncio.fixture(loop_scope="module")
async def narrow_door(request: pytest.FixtureRequest) -> AsyncIterator[Door]:
    """A door with small limits, where nothing has been counted yet."""
    if LIMITED_KONG:
        found = Door(LIMITED_KONG, None)
        await found.window_begins()
        yield found
    elif KONG:
        pytest.skip("GATEWAY_LIMITED_URL names no Kong with small limits")
    else:
        async with door_to(request.getfixturevalue("edge_of_the_mesh"), *LIMITS) as found:
            yield found
