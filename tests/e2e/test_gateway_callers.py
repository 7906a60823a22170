"""Attacks on who is calling: nobody gets in unknown, and nobody as somebody else."""

from typing import Any

import pytest

from tests.support.door import DEMO_KEY, GUEST, GUEST_KEY, SESSION, TASKS, Door, stopped_by
from tests.support.standin import Document, drop_plugin, plugins_of, route, service

pytestmark = pytest.mark.asyncio(loop_scope="module")


def anonymous(file: Document) -> Document:
    consumer: Document = next(each for each in file["consumers"] if each["username"] == "anonymous")
    return consumer


def without_route(name: str) -> object:
    def change(file: Document) -> None:
        api = service(file, "api")
        api["routes"] = [each for each in api["routes"] if each["name"] != name]
        file["plugins"] = [each for each in file["plugins"] if each.get("route") != name]

    return change


def leaving_on(name: str) -> object:
    def change(file: Document) -> None:
        removed = plugins_of(file, "request-transformer")[0]["config"]["remove"]
        removed["headers"] = [each for each in removed["headers"] if each != name]

    return change


# E3
@stopped_by("consumer anonymous: request-termination", drop_plugin("request-termination", anonymous))
async def test_a_stranger_reads_nothing(door: Door) -> None:
    for lines in ((), (("x-api-key", "guessed"),), (DEMO_KEY, DEMO_KEY), (("Cookie", "sid=guessed"),)):
        answer = await door.send(SESSION, *lines)
        assert answer.status_code == 401
        assert answer.headers["Content-Type"] == "application/problem+json"
        # A browser would show its own dialog for a password, on the attacker's page too.
        assert "WWW-Authenticate" not in answer.headers


# E3
async def test_a_key_in_the_address_is_none_for_addresses_are_logged(door: Door) -> None:
    assert (await door.send(f"{SESSION}?x-api-key=demo-key")).status_code == 401


# E2
@stopped_by("route api-key: key-auth", drop_plugin("key-auth", lambda file: route(file, "api-key")))
async def test_a_program_cannot_call_itself_somebody_else(door: Door) -> None:
    for name in ("X-Consumer-Username", "x-consumer-username"):
        assert await door.who(DEMO_KEY, (name, "guest")) == "demo"
        assert await door.who(DEMO_KEY, (name, "guest"), (name, "guest")) == "demo"


# E2
async def test_none_of_the_other_headers_that_name_somebody_is_believed(door: Door) -> None:
    claims = (
        ("X-Consumer-ID", "1"),
        ("X-Consumer-Custom-ID", "guest"),
        ("X-Credential-Identifier", "guest"),
        ("X-Authenticated-Groups", "admin"),
        ("X-Anonymous-Consumer", "false"),
        ("X_Consumer_Username", "guest"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-User", "guest"),
        ("Forwarded", "for=127.0.0.1"),
        ("Remote-User", "guest"),
    )
    assert await door.who(DEMO_KEY, *claims) == "demo"
    assert await door.who(*claims) is None


# E2
@stopped_by("service api: request-transformer: remove x-mesh-token", leaving_on("x-mesh-token"))  # type: ignore[arg-type]
async def test_a_token_of_the_clients_own_changes_nothing(door: Door) -> None:
    token = ("X-Mesh-Token", "a-guess-at-the-token-of-the-mesh")
    assert await door.who(DEMO_KEY, token) == "demo"
    assert await door.who(DEMO_KEY, token, token) == "demo"
    assert await door.who(token, ("X-Consumer-Username", "demo")) is None


# E1
async def test_round_the_gateway_nobody_is_believed(door: Door) -> None:
    if door.edge is None:
        pytest.skip("the edge cannot be reached, which is better still")
    straight = Door(door.edge, None)
    name = ("X-Consumer-Username", "demo")
    for lines in ((name,), (name, ("X-Mesh-Token", "guessed")), (name, ("X-Mesh-Token", "")), (DEMO_KEY,)):
        assert (await straight.send(SESSION, *lines)).status_code == 401


# E3
@stopped_by("route api-key", without_route("api-key"))  # type: ignore[arg-type]
async def test_a_bad_key_beside_a_good_cookie_is_a_bad_key(door: Door) -> None:
    cookie = await door.sign_in()
    assert await door.who(cookie, ("x-api-key", "guessed")) is None


# E3
async def test_a_key_beside_a_cookie_counts_and_neither_is_mixed_up(door: Door) -> None:
    cookie = await door.sign_in()
    answer = await door.send(SESSION, cookie, GUEST_KEY)
    assert answer.json() == {"user": "guest"}
    assert "Set-Cookie" not in answer.headers


# E4
async def test_another_users_task_is_as_if_it_did_not_exist(door: Door) -> None:
    created = await door.send(TASKS, DEMO_KEY, method="POST", json={"title": "Only mine"})
    path = created.headers["Location"]
    missing = "01JD0000000000000000000000"
    attempts: tuple[tuple[str, dict[str, Any]], ...] = (
        ("GET", {}),
        ("PATCH", {"json": {"title": "Yours"}}),
        ("DELETE", {}),
    )
    for method, more in attempts:
        theirs = await door.send(path, GUEST_KEY, method=method, **more)
        none = await door.send(f"{TASKS}/{missing}", GUEST_KEY, method=method, **more)
        assert theirs.status_code == none.status_code == 404
        for answer in (theirs, none):
            assert (answer.json()["reason"], answer.json()["title"]) == ("TASK_NOT_FOUND", "Not Found")
    theirs = await door.send(f"{path}:undelete", GUEST_KEY, method="POST")
    assert theirs.status_code == 404
    assert (await door.send(path, DEMO_KEY)).json()["title"] == "Only mine"


# E4
async def test_another_users_list_is_empty_of_ones_own_and_its_page_token_is_of_no_use(door: Door) -> None:
    for title in ("One of demo's", "Another of demo's"):
        await door.send(TASKS, DEMO_KEY, method="POST", json={"title": title})
    token = (await door.send(f"{TASKS}?page_size=1", DEMO_KEY)).json()["next_page_token"]
    answer = await door.send(TASKS, GUEST_KEY, params={"page_size": 1, "page_token": token})
    assert answer.status_code == 400
    assert "of demo's" not in (await door.send(f"{TASKS}?page_size=200", GUEST_KEY)).text


# E3
async def test_a_guess_tells_nothing_of_who_exists(door: Door) -> None:
    bodies = []
    for auth in ((GUEST[0], "wrong"), ("nobody", "wrong"), ("anonymous", ""), ("", "")):
        body = (await door.send(SESSION, auth=auth)).json()
        assert body.pop("request_id")
        bodies.append(body)
    assert all(body == bodies[0] for body in bodies)
