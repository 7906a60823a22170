"""rate-limiting: limits the requests per minute of each consumer or IP address."""

import asyncio
from typing import Literal

from pydantic import PrivateAttr

from kong.dev_gateway.counters import Counters
from kong.dev_gateway.exchange import Exchange, Exit, error
from kong.dev_gateway.plugins.base import Plugin, State
from kong.dev_gateway.sessions import Clock

_SECONDS = 60


class RateLimiting(Plugin):
    """Counts in windows of one clock minute, like Kong's policy `local`.

    Like Kong, it reads the count first and increments it later, so concurrent requests may exceed the limit.
    """

    priority = 910
    minute: int
    limit_by: Literal["consumer", "ip"] = "consumer"
    policy: Literal["local"]
    fault_tolerant: bool = True
    _clock: Clock = PrivateAttr()
    _counters: Counters = PrivateAttr()

    def start(self, state: State) -> None:
        """Create the counters."""
        self._clock, self._counters = state.clock, Counters(state.clock)

    async def access(self, exchange: Exchange) -> None:
        """Raise Exit with 429 if the limit is reached. A refused request is not counted."""
        now = int(self._clock())
        key = f"{self._caller(exchange)} {now // _SECONDS}"
        left, reset = self.minute - self._counters.get(key), str(_SECONDS - now % _SECONDS)
        for prefix, suffix in (("RateLimit", ""), ("X-RateLimit", "-Minute")):
            exchange.pending[f"{prefix}-Limit{suffix}"] = str(self.minute)
            exchange.pending[f"{prefix}-Remaining{suffix}"] = str(max(0, left - 1))
        exchange.pending["RateLimit-Reset"] = reset
        if left <= 0:
            raise Exit(error(429, "API rate limit exceeded", {"Retry-After": reset}, "exit"))
        asyncio.get_running_loop().call_soon(self._counters.incr, key, 1, 0, _SECONDS)

    def _caller(self, exchange: Exchange) -> str:
        return exchange.consumer.username if self.limit_by == "consumer" and exchange.consumer else exchange.client
