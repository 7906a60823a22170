"""Attacks by number: guessing passwords, and asking more than one's share. Each begins uncounted."""

import asyncio

import pytest

from tests.support.door import DEMO, DEMO_KEY, GUEST_KEY, SESSION, Door, stopped_by
from tests.support.standin import Document, drop_plugin, route, service

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRONG = ("demo", "wrong")


def without_limits_of_strangers(file: Document) -> None:
    file["plugins"] = [each for each in file["plugins"] if each["name"] != "rate-limiting"]


# E11
@stopped_by("route login: rate-limiting", drop_plugin("rate-limiting", lambda file: route(file, "login")))
async def test_guessing_a_password_comes_to_an_end(narrow_door: Door) -> None:
    statuses = [(await narrow_door.send(SESSION, auth=WRONG)).status_code for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    assert await narrow_door.who(DEMO_KEY) == "demo", "who has a key is not held up by it"


# E11
@stopped_by("plugins: post-function: clear Set-Cookie", drop_plugin("post-function"))
async def test_past_the_limit_the_right_password_is_told_apart_by_nothing(narrow_door: Door) -> None:
    for _ in range(3):
        await narrow_door.send(SESSION, auth=WRONG)
    right, wrong = await narrow_door.send(SESSION, auth=DEMO), await narrow_door.send(SESSION, auth=WRONG)
    assert right.status_code == wrong.status_code == 429
    # session has made a cookie by then: it would be the proof, and a way in.
    assert "Set-Cookie" not in right.headers
    assert set(right.headers) == set(wrong.headers)
    assert right.json() | {"request_id": ""} == wrong.json() | {"request_id": ""}


# E11
async def test_another_name_for_the_header_is_no_way_round_the_limit(narrow_door: Door) -> None:
    lines = (("Authorization", "Basic ZGVtbzp3cm9uZw=="), ("Proxy-Authorization", "Basic ZGVtbzp3cm9uZw=="))
    spoof = [("X-Forwarded-For", f"9.9.9.{number}") for number in range(5)]
    statuses = [(await narrow_door.send(SESSION, *lines, each)).status_code for each in spoof]
    assert statuses == [401, 401, 401, 429, 429]


# E12
@stopped_by("service api: rate-limiting", drop_plugin("rate-limiting", lambda file: service(file, "api")))
async def test_one_caller_gets_no_more_than_a_share(narrow_door: Door) -> None:
    answers = await asyncio.gather(*(narrow_door.send(SESSION, DEMO_KEY) for _ in range(20)))
    passed = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(passed) + len(refused) == 20
    assert len(passed) <= 10, "one window, or two where it ended meanwhile"
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 60
    assert refused[0].headers["RateLimit-Limit"] == "5"
    assert refused[0].headers["RateLimit-Remaining"] == "0"
    assert refused[0].headers["Content-Type"] == "application/problem+json"
    assert await narrow_door.who(GUEST_KEY) == "guest", "others have a share of their own"


# E12
@stopped_by("plugins: rate-limiting of anonymous", without_limits_of_strangers)
async def test_strangers_are_limited_by_address(narrow_door: Door) -> None:
    statuses = [(await narrow_door.send(SESSION, ("x-api-key", str(number)))).status_code for number in range(6)]
    assert statuses == [401, 401, 401, 401, 429, 429]
    assert await narrow_door.who(DEMO_KEY) == "demo"
