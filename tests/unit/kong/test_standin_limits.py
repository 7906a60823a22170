"""How requests are counted."""

import pytest

from kong.standin.consumers import Consumer, Consumers
from kong.standin.exchange import Exchange, Exit
from kong.standin.fields import Fields
from kong.standin.headers import Headers
from kong.standin.plugins import rate_limiting
from kong.standin.plugins.base import Surroundings
from kong.standin.plugins.rate_limiting import RateLimiting

now = 600.0


def limiter(**config: object) -> RateLimiting:
    global now
    now = 600.0
    return RateLimiting(Fields(config, "test"), Surroundings(Consumers([]), lambda: now))


async def body() -> bytes:
    return b""


async def come(limit: RateLimiting, client: str = "1.1.1.1", name: str | None = None) -> Exchange:
    exchange = Exchange("GET", "/", "", Headers(), client, body)
    exchange.consumer = Consumer(name, name) if name else None
    try:
        await limit.access(exchange)
    except Exit as leaving:
        exchange.told = Headers([*exchange.told, *leaving.answer.headers, ("status", str(leaving.answer.status))])
    return exchange


async def test_past_the_limit_it_is_429_until_the_window_ends() -> None:
    global now
    limit = limiter(minute=2)
    assert [(await come(limit)).told.get("status", "200") for _ in range(4)] == ["200", "200", "429", "429"]
    now += 59
    refused = await come(limit)
    assert (refused.told.get("Retry-After"), refused.told.get("RateLimit-Reset")) == ("1", "1")
    now += 1
    assert (await come(limit)).told.get("RateLimit-Remaining") == "1"


async def test_the_headers_tell_of_the_window_that_is_tightest() -> None:
    limit = limiter(minute=10, hour=3)
    told = (await come(limit)).told
    assert {name: value for name, value in told if "imit-" in name} == {
        "X-RateLimit-Limit-Minute": "10",
        "X-RateLimit-Remaining-Minute": "9",
        "X-RateLimit-Limit-Hour": "3",
        "X-RateLimit-Remaining-Hour": "2",
        "RateLimit-Limit": "3",
        "RateLimit-Remaining": "2",
        "RateLimit-Reset": "3000",
    }


@pytest.mark.parametrize(("by", "left"), [("ip", ["1", "0"]), ("consumer", ["1", "1"])])
async def test_each_caller_has_a_count_of_its_own(by: str, left: list[str]) -> None:
    limit = limiter(minute=2, limit_by=by)
    told = [(await come(limit, name=name)).told.get("RateLimit-Remaining") for name in ("ada", "eve")]
    assert told == left
    assert (await come(limit, client="2.2.2.2", name="zoe")).told.get("RateLimit-Remaining") == "1"


async def test_many_addresses_cost_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limiting, "_MOST_COUNTS", 100)
    limit = limiter(minute=2, limit_by="ip")
    for number in range(500):
        await come(limit, client=str(number))
    assert len(limit._counts) <= 100
