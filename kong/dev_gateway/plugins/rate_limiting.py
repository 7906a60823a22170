"""rate-limiting: a number of requests per second, minute, hour or day, for each consumer or address."""

import asyncio
from typing import Literal

from pydantic import PrivateAttr

from kong.dev_gateway.counters import Counters
from kong.dev_gateway.exchange import Exchange, Exit, error
from kong.dev_gateway.plugins.base import Plugin, State
from kong.dev_gateway.sessions import Clock

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


class RateLimiting(Plugin):
    """Counts in fixed windows of the clock, as Kong's policy `local` does.

    It reads the count first and adds to it later, as Kong does: requests at the same time may exceed the limit.
    """

    priority = 910
    second: int | None = None
    minute: int | None = None
    hour: int | None = None
    day: int | None = None
    limit_by: Literal["consumer", "ip"] = "consumer"
    policy: Literal["local"]
    fault_tolerant: bool = True
    _clock: Clock = PrivateAttr()
    _counters: Counters = PrivateAttr()

    def start(self, state: State) -> None:
        """Begins with nothing counted."""
        self._clock, self._counters = state.clock, Counters(state.clock)

    async def access(self, exchange: Exchange) -> None:
        """Answers 429 where a window is full. A refused request is not counted."""
        now = int(self._clock())
        limits = {period: limit for period in _SECONDS if (limit := getattr(self, period))}
        keys = {period: f"{self._caller(exchange)} {period} {now // _SECONDS[period]}" for period in limits}
        left = {period: max(0, limit - self._counters.get(keys[period])) for period, limit in limits.items()}
        is_full = min(left.values()) == 0
        if not is_full:
            left = {period: rest - 1 for period, rest in left.items()}
        reset = self._write_headers(exchange, limits, left, now)
        if is_full:
            raise Exit(error(429, "API rate limit exceeded", {"Retry-After": str(reset)}, "exit"))
        for period, key in keys.items():
            asyncio.get_running_loop().call_soon(self._counters.incr, key, 1, 0, _SECONDS[period])

    def _caller(self, exchange: Exchange) -> str:
        by_consumer = self.limit_by == "consumer" and exchange.consumer
        return exchange.consumer.username if by_consumer and exchange.consumer else exchange.client

    def _write_headers(self, exchange: Exchange, limits: dict[str, int], left: dict[str, int], now: int) -> int:
        """Sets the headers of the answer; returns the seconds until the tightest window ends."""
        tightest = min(left, key=lambda period: (left[period], -_SECONDS[period]))
        reset = max(1, _SECONDS[tightest] - now % _SECONDS[tightest])
        for period, rest in left.items():
            exchange.pending[f"X-RateLimit-Limit-{period.title()}"] = str(limits[period])
            exchange.pending[f"X-RateLimit-Remaining-{period.title()}"] = str(rest)
        exchange.pending["RateLimit-Limit"] = str(limits[tightest])
        exchange.pending["RateLimit-Remaining"] = str(left[tightest])
        exchange.pending["RateLimit-Reset"] = str(reset)
        return reset
