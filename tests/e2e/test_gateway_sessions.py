"""Attacks on sessions: cookies that are stolen, kept, planted, or used from another site's page."""

import os
import subprocess
from pathlib import Path

import pytest

from kong.users import main as kong_user
from tests.support.door import DEMO, DEMO_KEY, GUEST, SESSION, TASKS, Door, only_kong, stopped_by
from tests.support.standin import Change, Document, plugins_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOGOUT = f"{SESSION}?session_logout=true"


def session_with(**config: object) -> Change:
    def change(file: Document) -> None:
        for plugin in plugins_of(file, "session"):
            plugin["config"] = {**plugin["config"], **config}

    return change


# E5
@stopped_by("session: logout_methods", session_with(logout_methods=[]))
async def test_a_copy_of_the_cookie_is_dead_after_the_logout(door: Door) -> None:
    cookie = await door.sign_in()
    assert await door.who(cookie) == "demo"
    logout = await door.send(LOGOUT, cookie, method="POST")
    assert (logout.status_code, logout.content) == (200, b"")
    assert await door.who(cookie) is None


# E8
@stopped_by("session: logout_methods", session_with(logout_methods=["GET", "POST"]))
async def test_a_link_or_an_image_logs_nobody_out(door: Door) -> None:
    cookie = await door.sign_in()
    await door.send(LOGOUT, cookie)
    assert await door.who(cookie) == "demo"


# E7
@stopped_by("session: cookie_http_only", session_with(cookie_http_only=False))
async def test_scripts_do_not_see_the_cookie(door: Door) -> None:
    assert "HttpOnly" in await _flags(door)


# E7
@stopped_by("session: cookie_secure", session_with(cookie_secure=False))
async def test_the_cookie_never_goes_over_a_line_that_others_read(door: Door) -> None:
    assert "Secure" in await _flags(door)


# E7
@stopped_by("session: cookie_same_site", session_with(cookie_same_site="Lax"))
async def test_the_cookie_is_not_sent_from_other_sites(door: Door) -> None:
    assert "SameSite=Strict" in await _flags(door)


# E7
@stopped_by("session: no cookie_domain", session_with(cookie_domain="example.com"))
async def test_no_other_host_gets_the_cookie(door: Door) -> None:
    flags = await _flags(door)
    assert "Path=/" in flags
    assert not [flag for flag in flags if flag.lower().startswith("domain")]


# E6
async def test_a_cookie_planted_before_the_login_is_not_what_is_signed_in(door: Door) -> None:
    planted = ("Cookie", "sid=planted-by-somebody-else")
    answer = await door.send(SESSION, planted, auth=DEMO)
    assert "planted" not in answer.headers["Set-Cookie"]
    assert await door.who(planted) is None


# E6
async def test_every_login_gets_a_session_of_its_own(door: Door) -> None:
    one, other = await door.sign_in(), await door.sign_in(GUEST)
    assert one != other
    await door.send(LOGOUT, one, method="POST")
    assert await door.who(other) == "guest"


# E6
@only_kong
async def test_a_changed_password_ends_the_sessions_of_that_user_and_of_nobody_else(door: Door) -> None:
    def said(command: str, password: str) -> None:
        assert kong_user(["--file", os.environ["KONG_USERS_FILE"], command, "ada"], lambda: password) == 0
        subprocess.run([Path(__file__).parents[2] / "scripts/kong-apply"], check=True, timeout=300)

    said("add", "the-old-password")
    stolen, others = await door.sign_in(("ada", "the-old-password")), await door.sign_in(GUEST)
    assert await door.who(stolen) == "ada"
    said("password", "the-new-password")
    assert await door.who(stolen) is None
    assert await door.who(others) == "guest"
    assert (await door.send(SESSION, auth=("ada", "the-old-password"))).status_code == 401
    assert await door.who(await door.sign_in(("ada", "the-new-password"))) == "ada"


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
async def test_another_sites_page_changes_nothing_even_with_the_cookie(door: Door, page: list[tuple[str, str]]) -> None:
    cookie = await door.sign_in(GUEST)
    before = (await door.send(TASKS, cookie)).json()
    for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
        lines = (cookie, ("Content-Type", kind), *page)
        answer = await door.send(TASKS, *lines, method="POST", content=b'{"title": "Forged"}')
        assert answer.status_code == 403
    assert (await door.send(TASKS, cookie)).json() == before


# E8
async def test_a_form_without_an_origin_creates_nothing_either(door: Door) -> None:
    cookie = await door.sign_in(GUEST)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = await door.send(TASKS, cookie, ("Content-Type", kind), method="POST", content=b'{"title": "x"}')
        assert answer.status_code == 415


# E10
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:8000.evil.example"])
async def test_no_other_origin_may_read_an_answer(door: Door, origin: str) -> None:
    cookie = await door.sign_in()
    asks = (("Origin", origin), ("Access-Control-Request-Method", "POST"))
    for method in ("GET", "OPTIONS"):
        for lines in ((cookie,), (DEMO_KEY,), ()):
            answer = await door.send(TASKS, *lines, *asks, method=method)
            assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


async def _flags(door: Door) -> list[str]:
    line = (await door.send(SESSION, auth=DEMO)).headers["Set-Cookie"]
    return [part.strip() for part in line.split(";")][1:]
