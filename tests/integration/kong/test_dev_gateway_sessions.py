"""Sessions of the development gateway, and the headers that a service receives, with the real kong.yml."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.support.clock import HandClock
from tests.support.edge_api.edge import TOKEN
from tests.support.kong.dev_gateway import dev_gateway
from tests.support.kong.echo import Echo, echo

API = "/api/v1/tasks"
KEY = {"x-api-key": "demo-key"}
DEMO = ("demo", "demo-password")


@pytest_asyncio.fixture
async def upstream() -> AsyncIterator[Echo]:
    async with echo() as service:
        yield service


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest_asyncio.fixture
async def gateway(upstream: Echo, clock: HandClock) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        dev_gateway(edge=upstream.port, web=upstream.port, clock=lambda: clock().timestamp()) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        yield client


async def sign_in(gateway: httpx.AsyncClient, clock: HandClock) -> dict[str, str]:
    """Sign in and return the cookie header of the session, after the session is known."""
    answer = await gateway.get(API, auth=DEMO)
    assert answer.status_code == 200
    gateway.cookies.clear()  # httpx would also send Secure cookies over plain HTTP
    clock.move(seconds=1)
    return {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}


async def test_a_new_session_is_unknown_at_first_and_a_failed_lookup_is_cached(
    gateway: httpx.AsyncClient, clock: HandClock
) -> None:
    patient, hasty = [(await gateway.get(API, auth=DEMO)).headers["Set-Cookie"].partition(";")[0] for _ in range(2)]
    gateway.cookies.clear()
    assert (await gateway.get(API, headers={"Cookie": hasty})).status_code == 401
    clock.move(seconds=0.1)
    assert (await gateway.get(API, headers={"Cookie": patient})).status_code == 200
    assert (await gateway.get(API, headers={"Cookie": hasty})).status_code == 401
    clock.move(seconds=1)
    assert (await gateway.get(API, headers={"Cookie": hasty})).status_code == 200


async def test_an_idle_session_ends(gateway: httpx.AsyncClient, clock: HandClock) -> None:
    cookie = await sign_in(gateway, clock)
    clock.move(seconds=1790)
    assert (await gateway.get(API, headers=cookie)).status_code == 200
    clock.move(seconds=1799)
    assert (await gateway.get(API, headers=cookie)).status_code == 200
    clock.move(seconds=1801)
    assert (await gateway.get(API, headers=cookie)).status_code == 401


async def test_a_service_gets_the_caller_and_no_credential(
    gateway: httpx.AsyncClient, clock: HandClock, upstream: Echo
) -> None:
    cookie = await sign_in(gateway, clock)
    await gateway.get(API, headers=KEY | {"X-Mesh-Token": "mine", "Proxy-Authorization": "Basic eA=="} | cookie)
    await gateway.get(API, headers=cookie | {"X-Mesh-Token": "mine"})
    for seen in upstream.seen:
        assert seen.values("x-mesh-token") == [TOKEN]
        assert not {name for name, _ in seen.headers} & {"cookie", "authorization", "proxy-authorization", "x-api-key"}
        assert seen.values("x-consumer-username") == ["demo"]


async def test_the_page_gets_no_credential(gateway: httpx.AsyncClient, upstream: Echo) -> None:
    claims = {"Cookie": "sid=x", "Authorization": "Basic eA==", "X-Consumer-Username": "admin", **KEY}
    assert (await gateway.get("/", headers=claims)).status_code == 200
    names = {name for name, _ in upstream.seen[0].headers}
    assert not names & {"cookie", "authorization", "x-api-key", "x-consumer-username", "x-mesh-token"}
