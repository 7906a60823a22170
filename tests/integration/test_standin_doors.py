"""Who is let in by the gateway, how sessions begin and end, and what the service learns: by the true kong.yml."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.support.clock import HandClock
from tests.support.echo import Echo, echo
from tests.support.edge import TOKEN
from tests.support.standin import standin

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
        standin(edge=upstream.port, web=upstream.port, clock=lambda: clock().timestamp()) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        yield client


async def sign_in(gateway: httpx.AsyncClient, auth: tuple[str, str] = DEMO) -> dict[str, str]:
    """The header that a browser would send after a login; httpx keeps a Secure cookie to itself."""
    answer = await gateway.get(API, auth=auth)
    assert answer.status_code == 200
    gateway.cookies.clear()
    return {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}


async def test_a_key_lets_in_and_makes_no_session(gateway: httpx.AsyncClient, upstream: Echo) -> None:
    answer = await gateway.get(API, headers=KEY)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert upstream.seen[0].values("x-consumer-username") == ["demo"]


async def test_the_service_learns_who_calls_and_no_credential(gateway: httpx.AsyncClient, upstream: Echo) -> None:
    cookie = await sign_in(gateway)
    await gateway.get(API, headers=KEY | {"X-Mesh-Token": "mine", "Authorization": "Bearer x"})
    await gateway.get(API, headers=KEY | {"X-Mesh-Token": "mine", "Proxy-Authorization": "Bearer x"} | cookie)
    await gateway.get(API, headers=cookie | {"X-Mesh-Token": "mine"})
    for seen in upstream.seen:
        assert seen.values("x-mesh-token") == [TOKEN]
        names = {name for name, _ in seen.headers}
        assert not names & {"cookie", "authorization", "proxy-authorization", "x-api-key"}
        assert seen.values("x-consumer-username") == ["demo"]


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("x-api-key", "wrong")],
        [("x-api-key", "")],
        [("x-api-key", "demo-key"), ("x-api-key", "demo-key")],
        [("Authorization", "Basic ZGVtbzp3cm9uZw==")],
        [("Authorization", "Bearer demo-key")],
        [("Authorization", "Basic not base64")],
        [("Cookie", "sid=guessed")],
    ],
)
async def test_strangers_get_a_problem_and_no_challenge(
    gateway: httpx.AsyncClient, upstream: Echo, headers: list[tuple[str, str]]
) -> None:
    for path in (API, "/api/v1/events", "/api"):
        answer = await gateway.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
        assert "WWW-Authenticate" not in answer.headers
        assert "Set-Cookie" not in answer.headers
    assert upstream.seen == []


async def test_a_key_in_the_address_is_none(gateway: httpx.AsyncClient) -> None:
    assert (await gateway.get(f"{API}?x-api-key=demo-key")).status_code == 401


async def test_a_login_gives_a_cookie_that_scripts_and_other_sites_never_see(gateway: httpx.AsyncClient) -> None:
    line = (await gateway.get(API, auth=DEMO)).headers["Set-Cookie"]
    assert [part.strip() for part in line.split(";")][1:] == ["Path=/", "SameSite=Strict", "Secure", "HttpOnly"]
    assert len(line.partition(";")[0]) > 40


async def test_the_cookie_goes_on_where_the_password_began(gateway: httpx.AsyncClient, upstream: Echo) -> None:
    cookie = await sign_in(gateway)
    for path in (API, "/api/v1/events"):
        answer = await gateway.get(path, headers=cookie)
        assert (answer.status_code, "Set-Cookie" in answer.headers) == (200, False)
    assert upstream.seen[-1].values("x-consumer-username") == ["demo"]


async def test_a_cookie_set_before_the_login_is_not_the_session(gateway: httpx.AsyncClient) -> None:
    answer = await gateway.get(API, auth=DEMO, headers={"Cookie": "sid=chosen-by-somebody-else"})
    assert "chosen" not in answer.headers["Set-Cookie"]
    gateway.cookies.clear()
    assert (await gateway.get(API, headers={"Cookie": "sid=chosen-by-somebody-else"})).status_code == 401


async def test_a_logout_ends_the_session_for_every_copy_of_the_cookie(
    gateway: httpx.AsyncClient, upstream: Echo
) -> None:
    cookie, other = await sign_in(gateway), await sign_in(gateway)
    before = len(upstream.seen)
    answer = await gateway.post("/api/v1/session?session_logout=true", headers=cookie)
    assert (answer.status_code, answer.content) == (200, b"")
    assert "sid=;" in answer.headers["Set-Cookie"]
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert len(upstream.seen) == before
    assert (await gateway.get(API, headers=cookie)).status_code == 401
    assert (await gateway.get(API, headers=other)).status_code == 200


async def test_a_link_logs_nobody_out(gateway: httpx.AsyncClient) -> None:
    cookie = await sign_in(gateway)
    await gateway.get("/api/v1/session?session_logout=true", headers=cookie)
    await gateway.delete("/api/v1/session?session_logout=true", headers=cookie)
    assert (await gateway.get(API, headers=cookie)).status_code == 200


async def test_an_idle_session_ends(gateway: httpx.AsyncClient, clock: HandClock) -> None:
    cookie = await sign_in(gateway)
    clock.move(seconds=1799)
    assert (await gateway.get(API, headers=cookie)).status_code == 200
    clock.move(seconds=1799)
    assert (await gateway.get(API, headers=cookie)).status_code == 200
    clock.move(seconds=1801)
    assert (await gateway.get(API, headers=cookie)).status_code == 401


async def test_a_session_in_use_is_renewed_and_its_old_cookie_dies(
    gateway: httpx.AsyncClient, clock: HandClock
) -> None:
    old = await sign_in(gateway)
    for _ in range(3):
        clock.move(seconds=1790)
        answer = await gateway.get(API, headers=old)
    clock.move(seconds=100)
    answer = await gateway.get(API, headers=old)
    new = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
    gateway.cookies.clear()
    assert (await gateway.get(API, headers=old)).status_code == 200, "what was on its way is let in"
    clock.move(seconds=11)
    assert (await gateway.get(API, headers=old)).status_code == 401
    assert (await gateway.get(API, headers=new)).status_code == 200


async def test_twelve_hours_end_every_session(gateway: httpx.AsyncClient, clock: HandClock) -> None:
    cookie = await sign_in(gateway)
    for _ in range(12 * 3):
        clock.move(seconds=1200)
        answer = await gateway.get(API, headers=cookie)
        if "Set-Cookie" in answer.headers:
            cookie = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
            gateway.cookies.clear()
    assert answer.status_code == 401


async def test_the_page_is_for_everybody_and_gets_no_credential(gateway: httpx.AsyncClient, upstream: Echo) -> None:
    claims = {"Cookie": "sid=x", "Authorization": "Basic eA==", "X-Consumer-Username": "admin", **KEY}
    answer = await gateway.get("/", headers=claims)
    assert answer.status_code == 200
    names = {name for name, _ in upstream.seen[0].headers}
    assert not names & {"cookie", "authorization", "x-api-key", "x-consumer-username", "x-mesh-token"}
    assert answer.headers["Content-Security-Policy"].startswith("frame-ancestors 'none'")
    assert not {"server", "x-powered-by"} & set(answer.headers)


async def test_who_has_a_session_is_not_asked_for_a_password_again(gateway: httpx.AsyncClient, upstream: Echo) -> None:
    cookie = await sign_in(gateway)
    answer = await gateway.get(API, headers=cookie, auth=("guest", "guest-password"))
    assert answer.status_code == 200
    assert upstream.seen[-1].values("x-consumer-username") == ["demo"]
