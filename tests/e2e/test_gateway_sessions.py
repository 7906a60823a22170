"""Attacks on sessions: cookies that are stolen, kept after logout, planted, or used by a page of another site."""

import os
import subprocess

import pytest

from kong.users import main as kong_user
from tests import ROOT
from tests.support.kong.dev_gateway import Change, Document, drop_plugin, plugins_of, route
from tests.support.kong.gateway import DEMO, DEMO_KEY, GUEST, SESSION, TASKS, Gateway, stopped_by

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOGOUT = f"{SESSION}?session_logout=true"


def session_with(**config: object) -> Change:
    def change(file: Document) -> None:
        for plugin in plugins_of(file, "session"):
            plugin["config"] = {**plugin["config"], **config}

    return change


# E5
@stopped_by("session: logout_methods", session_with(logout_methods=[]))
async def test_a_copy_of_the_cookie_is_dead_after_the_logout(gateway: Gateway) -> None:
    cookie = await gateway.sign_in()
    assert await gateway.user(cookie) == "demo"
    logout = await gateway.send(LOGOUT, cookie, method="POST")
    assert (logout.status_code, logout.content) == (200, b"")
    assert await gateway.user(cookie) is None


# E8
@stopped_by("session: logout_methods", session_with(logout_methods=["GET", "POST"]))
async def test_only_a_post_to_the_session_signs_the_user_out(gateway: Gateway) -> None:
    cookie = await gateway.sign_in()
    await gateway.send(LOGOUT, cookie)
    await gateway.send(f"{TASKS}?session_logout=true", cookie, method="POST", json={"title": "x"})
    await gateway.send(f"{TASKS}/x:undelete?session_logout=true", cookie, method="POST")
    assert await gateway.user(cookie) == "demo"


# E8: SameSite=Strict covers other sites, but not other ports of the same host
@stopped_by("route logout: pre-function", drop_plugin("pre-function", lambda file: route(file, "logout")))
async def test_a_page_of_another_origin_cannot_sign_the_user_out(gateway: Gateway) -> None:
    cookie = await gateway.sign_in()
    own = gateway.url
    for page in (
        [("Origin", "http://localhost:1"), ("Sec-Fetch-Site", "same-site")],
        [("Origin", "http://localhost:1")],
        [("Origin", "null")],
        [("Sec-Fetch-Site", "cross-site")],
        [("Origin", own), ("Sec-Fetch-Site", "same-site")],
    ):
        answer = await gateway.send(LOGOUT, cookie, *page, method="POST")
        assert answer.status_code == 403
        assert answer.json()["reason"] == "FORBIDDEN"
    assert await gateway.user(cookie) == "demo"
    for page in ([("Origin", own), ("Sec-Fetch-Site", "same-origin")], [("Origin", own)]):
        another = await gateway.sign_in()
        assert (await gateway.send(LOGOUT, another, *page, method="POST")).status_code == 200


# E7
@stopped_by("session: cookie_http_only", session_with(cookie_http_only=False))
async def test_scripts_do_not_see_the_cookie(gateway: Gateway) -> None:
    assert "HttpOnly" in await _flags(gateway)


# E7
@stopped_by("session: cookie_secure", session_with(cookie_secure=False))
async def test_the_cookie_is_sent_only_over_a_secure_connection(gateway: Gateway) -> None:
    assert "Secure" in await _flags(gateway)


# E7
@stopped_by("session: cookie_same_site", session_with(cookie_same_site="Lax"))
async def test_the_cookie_is_not_sent_from_other_sites(gateway: Gateway) -> None:
    assert "SameSite=Strict" in await _flags(gateway)


# E7
@stopped_by("session: no cookie_domain", session_with(cookie_domain="example.com"))
async def test_the_cookie_is_not_sent_to_other_hosts(gateway: Gateway) -> None:
    flags = await _flags(gateway)
    assert "Path=/" in flags
    assert not [flag for flag in flags if flag.lower().startswith("domain")]


# E6
async def test_a_cookie_planted_before_the_login_is_not_what_is_signed_in(gateway: Gateway) -> None:
    planted = ("Cookie", "sid=planted-by-an-attacker")
    answer = await gateway.send(SESSION, planted, auth=DEMO)
    assert "planted" not in answer.headers["Set-Cookie"]
    assert await gateway.user(planted) is None


# E3
async def test_a_cookie_takes_precedence_over_a_password(gateway: Gateway) -> None:
    cookie = await gateway.session()
    answer = await gateway.send(SESSION, cookie, auth=GUEST)
    assert answer.json() == {"user": "demo"}


# E6
async def test_every_login_gets_a_session_of_its_own(gateway: Gateway) -> None:
    one, other = await gateway.sign_in(), await gateway.sign_in(GUEST)
    assert one != other
    await gateway.send(LOGOUT, one, method="POST")
    assert await gateway.user(other) == "guest"


# E6
@pytest.mark.skipif("KONG_USERS_FILE" not in os.environ, reason="needs the Kong of `make up`, whose users it changes")
async def test_a_changed_password_ends_the_sessions_of_that_user_alone(gateway: Gateway) -> None:
    def apply(command: str, password: str) -> None:
        assert kong_user(["--file", os.environ["KONG_USERS_FILE"], command, "ada"], lambda: password) == 0
        subprocess.run([ROOT / "scripts/kong-apply"], check=True, timeout=300)

    apply("add", "the-old-password")
    stolen, others = await gateway.sign_in(("ada", "the-old-password")), await gateway.sign_in(GUEST)
    assert await gateway.user(stolen) == "ada"
    apply("password", "the-new-password")
    assert await gateway.user(stolen) is None
    assert await gateway.user(others) == "guest"
    assert (await gateway.send(SESSION, auth=("ada", "the-old-password"))).status_code == 401
    assert await gateway.user(await gateway.sign_in(("ada", "the-new-password"))) == "ada"


# E8
@pytest.mark.parametrize(
    "page",
    [
        [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")],
        [("Origin", "https://evil.example")],
        [("Origin", "null")],
        [("Origin", "http://evil.localhost:8000"), ("Sec-Fetch-Site", "same-site")],
        [("Sec-Fetch-Site", "cross-site")],
    ],
)
async def test_a_page_of_another_site_changes_nothing(gateway: Gateway, page: list[tuple[str, str]]) -> None:
    cookie = await gateway.session(GUEST)
    before = (await gateway.send(TASKS, cookie)).json()
    for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
        lines = (cookie, ("Content-Type", kind), *page)
        answer = await gateway.send(TASKS, *lines, method="POST", content=b'{"title": "Forged"}')
        assert answer.status_code == 403
    assert (await gateway.send(TASKS, cookie)).json() == before


# E8
async def test_a_form_without_an_origin_creates_nothing(gateway: Gateway) -> None:
    cookie = await gateway.session(GUEST)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = await gateway.send(TASKS, cookie, ("Content-Type", kind), method="POST", content=b'{"title": "x"}')
        assert answer.status_code == 415


# E10
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:8000.evil.example"])
async def test_no_other_origin_may_read_an_answer(gateway: Gateway, origin: str) -> None:
    cookie = await gateway.session()
    asks = (("Origin", origin), ("Access-Control-Request-Method", "POST"))
    for method in ("GET", "OPTIONS"):
        for lines in ((cookie,), (DEMO_KEY,), ()):
            answer = await gateway.send(TASKS, *lines, *asks, method=method)
            assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


async def _flags(gateway: Gateway) -> list[str]:
    line = (await gateway.send(SESSION, auth=DEMO)).headers["Set-Cookie"]
    return [part.strip() for part in line.split(";")][1:]
