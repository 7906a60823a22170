"""Attacks on the caller's identity: without a valid credential, or as another user."""

import base64
from typing import Any

import pytest

from tests.support.kong.dev_gateway import Change, Document, drop_plugin, plugins_of, route, service
from tests.support.kong.gateway import DEMO_KEY, GUEST, GUEST_KEY, SESSION, TASKS, Gateway, not_kong, stopped_by

pytestmark = pytest.mark.asyncio(loop_scope="module")


def anonymous(file: Document) -> Document:
    consumer: Document = next(each for each in file["consumers"] if each["username"] == "anonymous")
    return consumer


def without_route(name: str) -> Change:
    def change(file: Document) -> None:
        api = service(file, "api")
        api["routes"] = [each for each in api["routes"] if each["name"] != name]
        file["plugins"] = [each for each in file["plugins"] if each.get("route") != name]

    return change


def leaving_on(name: str) -> Change:
    def change(file: Document) -> None:
        removed = plugins_of(file, "request-transformer")[0]["config"]["remove"]
        removed["headers"] = [each for each in removed["headers"] if each != name]

    return change


# E3
@stopped_by("consumer anonymous: request-termination", drop_plugin("request-termination", anonymous))
async def test_a_request_without_a_credential_reads_nothing(gateway: Gateway) -> None:
    for lines in ((), (("x-api-key", "guessed"),), (DEMO_KEY, DEMO_KEY), (("Cookie", "sid=guessed"),)):
        answer = await gateway.send(SESSION, *lines)
        assert answer.status_code == 401
        assert answer.headers["Content-Type"] == "application/problem+json"
        # With this header, a browser would show a password dialog, even on an attacker's page.
        assert "WWW-Authenticate" not in answer.headers


# E3
async def test_a_key_in_the_address_is_none_for_addresses_are_logged(gateway: Gateway) -> None:
    assert (await gateway.send(f"{SESSION}?x-api-key=demo-key")).status_code == 401


# E2
@stopped_by("route api-key: key-auth", drop_plugin("key-auth", lambda file: route(file, "api-key")))
async def test_a_program_cannot_claim_to_be_another_user(gateway: Gateway) -> None:
    for name in ("X-Consumer-Username", "x-consumer-username"):
        assert await gateway.user(DEMO_KEY, (name, "guest")) == "demo"
        assert await gateway.user(DEMO_KEY, (name, "guest"), (name, "guest")) == "demo"


# E2
async def test_no_other_header_that_names_a_user_is_believed(gateway: Gateway) -> None:
    claims = (
        ("X-Consumer-ID", "1"),
        ("X-Consumer-Custom-ID", "guest"),
        ("X-Credential-Identifier", "guest"),
        ("X-Authenticated-Groups", "admin"),
        ("X-Anonymous-Consumer", "false"),
        ("X_Consumer_Username", "guest"),
        ("Connection", "x-consumer-username, x-mesh-token"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-User", "guest"),
        ("Forwarded", "for=127.0.0.1"),
        ("Remote-User", "guest"),
    )
    assert await gateway.user(DEMO_KEY, *claims) == "demo"
    assert await gateway.user(*claims) is None


# E2
@stopped_by("service api: request-transformer: remove x-mesh-token", leaving_on("x-mesh-token"))
async def test_a_mesh_token_from_the_client_has_no_effect(gateway: Gateway) -> None:
    token = ("X-Mesh-Token", "a-guess-at-the-token-of-the-mesh")
    assert await gateway.user(DEMO_KEY, token) == "demo"
    assert await gateway.user(DEMO_KEY, token, token) == "demo"
    assert await gateway.user(token, ("X-Consumer-Username", "demo")) is None


# E1
@not_kong
async def test_the_edge_itself_believes_no_client(gateway: Gateway) -> None:
    assert gateway.edge
    straight = Gateway(gateway.edge)
    name = ("X-Consumer-Username", "demo")
    for lines in ((name,), (name, ("X-Mesh-Token", "guessed")), (name, ("X-Mesh-Token", "")), (DEMO_KEY,)):
        assert (await straight.send(SESSION, *lines)).status_code == 401


# E3
@stopped_by("route api-key", without_route("api-key"))
async def test_an_invalid_key_with_a_valid_cookie_is_rejected(gateway: Gateway) -> None:
    cookie = await gateway.session()
    assert await gateway.user(cookie, ("x-api-key", "guessed")) is None


# E3
async def test_a_key_takes_precedence_over_a_cookie(gateway: Gateway) -> None:
    cookie = await gateway.session()
    answer = await gateway.send(SESSION, cookie, GUEST_KEY)
    assert answer.json() == {"user": "guest"}
    assert "Set-Cookie" not in answer.headers


# E4
async def test_a_task_of_another_user_does_not_seem_to_exist(gateway: Gateway) -> None:
    created = await gateway.send(TASKS, DEMO_KEY, method="POST", json={"title": "Only mine"})
    path = created.headers["Location"]
    missing = "01JD0000000000000000000000"
    attempts: tuple[tuple[str, dict[str, Any]], ...] = (
        ("GET", {}),
        ("PATCH", {"json": {"title": "Yours"}}),
        ("DELETE", {}),
    )
    for method, more in attempts:
        theirs = await gateway.send(path, GUEST_KEY, method=method, **more)
        none = await gateway.send(f"{TASKS}/{missing}", GUEST_KEY, method=method, **more)
        assert theirs.status_code == none.status_code == 404
        for answer in (theirs, none):
            assert (answer.json()["reason"], answer.json()["title"]) == ("TASK_NOT_FOUND", "Not Found")
    theirs = await gateway.send(f"{path}:undelete", GUEST_KEY, method="POST")
    assert theirs.status_code == 404
    assert (await gateway.send(path, DEMO_KEY)).json()["title"] == "Only mine"


# E4
async def test_a_list_has_no_tasks_of_another_user_whose_page_token_is_refused(gateway: Gateway) -> None:
    for title in ("One of demo's", "Another of demo's"):
        await gateway.send(TASKS, DEMO_KEY, method="POST", json={"title": title})
    token = (await gateway.send(f"{TASKS}?page_size=1", DEMO_KEY)).json()["next_page_token"]
    answer = await gateway.send(TASKS, GUEST_KEY, params={"page_size": 1, "page_token": token})
    assert answer.status_code == 400
    assert "of demo's" not in (await gateway.send(f"{TASKS}?page_size=200", GUEST_KEY)).text


# E3: PostgreSQL fails on some of these, and Kong's router on others
@pytest.mark.parametrize("name", [b"d\xe9mo", b"de\0mo", "dem\u00f6".encode(), b"x" * 65])
async def test_an_impossible_user_name_is_rejected_like_a_wrong_one(gateway: Gateway, name: bytes) -> None:
    credentials = base64.b64encode(name + b":password").decode()
    answer = await gateway.send(SESSION, ("Authorization", f"Basic {credentials}"))
    assert (answer.status_code, answer.json()["reason"]) == (401, "UNAUTHORIZED")


# E3
@pytest.mark.parametrize("line", ["x-api-key: \xe9", "Authorization: Basic \xe9", "Authorization: Bearer demo-key"])
async def test_a_malformed_credential_is_rejected_like_a_wrong_one(gateway: Gateway, line: str) -> None:
    for target in (SESSION, "/api/v1/events"):
        assert (await gateway.raw(target, line)).status == 401


# E3
async def test_a_wrong_password_does_not_reveal_whether_the_user_exists(gateway: Gateway) -> None:
    bodies = []
    for auth in ((GUEST[0], "wrong"), ("unknown", "wrong"), ("anonymous", ""), ("", "")):
        body = (await gateway.send(SESSION, auth=auth)).json()
        assert body.pop("request_id")
        bodies.append(body)
    assert all(body == bodies[0] for body in bodies)
