"""Attacks on the limits: guessing passwords, and too many requests. Each test starts with no requests counted."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.support.kong import raw_http
from tests.support.kong.dev_gateway import Document, drop_plugin, login_limits, route, service
from tests.support.kong.gateway import (
    ANONYMOUS_LIMIT,
    DEMO,
    DEMO_KEY,
    GUEST,
    GUEST_KEY,
    SESSION,
    USER_LIMIT,
    Gateway,
    gateway_to,
    not_kong,
    stopped_by,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRONG = ("demo", "wrong")
COUNTED = drop_plugin("pre-function", lambda file: route(file, "login"))


def without_anonymous_limits(file: Document) -> None:
    file["plugins"] = [each for each in file["plugins"] if each["name"] != "rate-limiting"]


async def at_once(gateway: Gateway, number: int, *lines: tuple[str, str], **more: Any) -> list[httpx.Response]:
    return await asyncio.gather(*(gateway.send(SESSION, *lines, **more) for _ in range(number)))


# E11
@stopped_by("route login: pre-function", COUNTED)
async def test_of_300_parallel_guesses_ten_get_an_answer(limited_gateway: Gateway) -> None:
    answers = [each for _ in range(3) for each in await at_once(limited_gateway, 100, auth=WRONG)]
    assert Counter(each.status_code for each in answers) == {401: 10, 429: 290}
    refused = next(each for each in answers if each.status_code == 429)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert await limited_gateway.user(DEMO_KEY) == "demo", "a key is not affected"


# E11
@stopped_by("route login: pre-function", COUNTED)
async def test_over_the_limit_a_correct_password_gets_the_same_response_as_a_wrong_one(
    limited_gateway: Gateway,
) -> None:
    await at_once(limited_gateway, 10, auth=WRONG)
    right, wrong = [await limited_gateway.send(SESSION, auth=auth) for auth in (DEMO, WRONG)]
    assert right.status_code == wrong.status_code == 429
    assert "Set-Cookie" not in right.headers
    assert {**right.json(), "request_id": ""} == {**wrong.json(), "request_id": ""}


# E11: nginx itself ends a request with a malformed body
@stopped_by("route login: pre-function", COUNTED)
async def test_a_guess_with_a_malformed_body_is_counted(limited_gateway: Gateway) -> None:
    line = ("Authorization: Basic ZGVtbzpkZW1vLXBhc3N3b3Jk", "Transfer-Encoding: chunked")
    request = raw_http.request(SESSION, *line, method="POST", body="zz")
    for _ in range(10):
        answers = await raw_http.answers(limited_gateway.url, request)
        assert [each.header("set-cookie") for each in answers if each.status != 200] in ([""], [])
    assert (await limited_gateway.send(SESSION, auth=GUEST)).status_code == 429


# E11
@stopped_by("route login: pre-function", COUNTED)
async def test_no_other_header_avoids_the_limit(limited_gateway: Gateway) -> None:
    lines = (("Authorization", "Basic ZGVtbzp3cm9uZw=="), ("Proxy-Authorization", "Basic ZGVtbzp3cm9uZw=="))
    spoofed = [("X-Forwarded-For", f"9.9.9.{number}") for number in range(12)]
    statuses = [(await limited_gateway.send(SESSION, *lines, each)).status_code for each in spoofed]
    assert statuses == [401] * 10 + [429] * 2


# E11
@not_kong
async def test_another_address_signs_in_while_one_is_over_its_limit(limited_gateway: Gateway) -> None:
    await at_once(limited_gateway, 20, auth=WRONG)
    assert (await limited_gateway.send(SESSION, auth=DEMO, source="127.0.0.2")).status_code == 200


# E11
@not_kong
async def test_one_address_cannot_lock_a_user_out_but_many_are_limited(edge_of_the_mesh: str) -> None:
    async with gateway_to(edge_of_the_mesh, login_limits(2, 3, 4), is_limited=True) as gateway:

        async def guesses(source: str) -> list[int]:
            return [(await gateway.send(SESSION, auth=WRONG, source=source)).status_code for _ in range(3)]

        assert await guesses("127.0.0.1") == [401, 401, 429]
        assert (await gateway.send(SESSION, auth=DEMO, source="127.0.0.2")).status_code == 200
        assert await guesses("127.0.0.3") == [401, 429, 429]
        assert (await gateway.send(SESSION, auth=DEMO, source="127.0.0.4")).status_code == 429
        other = await gateway.send(SESSION, auth=("guest", "guest-password"), source="127.0.0.4")
        assert other.status_code == 200


# E12
@stopped_by("service api: rate-limiting", drop_plugin("rate-limiting", lambda file: service(file, "api")))
async def test_a_user_gets_no_more_than_a_share(limited_gateway: Gateway) -> None:
    answers = [await limited_gateway.send(SESSION, DEMO_KEY) for _ in range(USER_LIMIT + 2)]
    refused = answers[-1]
    assert refused.status_code == 429
    assert refused.headers["RateLimit-Limit"] == str(USER_LIMIT)
    assert refused.headers["RateLimit-Remaining"] == "0"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert await limited_gateway.user(GUEST_KEY) == "guest", "the limit applies per user"


# E12: Kong reads a count first and increments it later
@stopped_by("plugins: rate-limiting of anonymous", without_anonymous_limits)
async def test_a_burst_may_exceed_a_limit_that_holds_afterwards(limited_gateway: Gateway) -> None:
    answers = await at_once(limited_gateway, 2 * ANONYMOUS_LIMIT, ("x-api-key", "guessed"))
    assert {each.status_code for each in answers} <= {401, 429}
    assert len([each for each in answers if each.status_code == 401]) >= ANONYMOUS_LIMIT
    refused = await limited_gateway.send(SESSION, ("x-api-key", "guessed"))
    assert (refused.status_code, refused.headers["RateLimit-Limit"]) == (429, str(ANONYMOUS_LIMIT))
    assert await limited_gateway.user(DEMO_KEY) == "demo"
