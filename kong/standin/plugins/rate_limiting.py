"""rate-limiting: so many requests in each second, minute, hour and day, for each consumer or address."""

from kong.standin.exchange import Exchange, Exit
from kong.standin.fields import Fields
from kong.standin.headers import Headers
from kong.standin.plugins.base import Plugin, Surroundings

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_MOST_COUNTS = 10_000


class RateLimiting(Plugin):
    """Counts in fixed windows of the clock, as Kong's policy `local` does."""

    priority = 910

    def __init__(self, fields: Fields, around: Surroundings) -> None:
        limits = {period: fields.take(period, float, 0.0) for period in _SECONDS}
        self._limits = {period: int(limit) for period, limit in limits.items() if limit}
        self._by = fields.only("limit_by", "consumer", "ip", default="consumer")
        self._message = fields.take("error_message", str, "API rate limit exceeded")
        fields.only("policy", "local", default="local")
        fields.only("fault_tolerant", True, False, default=True)
        fields.only("hide_client_headers", False, default=False)
        fields.only("error_code", 429, default=429)
        self._clock = around.clock
        self._counts: dict[tuple[str, str, int], int] = {}

    async def access(self, exchange: Exchange) -> None:
        """Counts the request, or refuses it when one of its windows is full. A refused one is not counted."""
        now = int(self._clock())
        caller = self._caller(exchange)
        windows = {period: (caller, period, now // _SECONDS[period]) for period in self._limits}
        left = {period: limit - self._counts.get(windows[period], 0) for period, limit in self._limits.items()}
        full = [period for period, rest in left.items() if rest <= 0]
        stop = full[-1] if full else None
        for period in left:
            left[period] = max(0, left[period] - (1 if stop in (None, period) else 0))
        reset = self._tell(exchange.told, left, now)
        if stop:
            raise Exit(exchange.error(429, self._message, Headers([("Retry-After", str(reset))])))
        for window in windows.values():
            self._count(window, now)

    def _caller(self, exchange: Exchange) -> str:
        return exchange.consumer.id if self._by == "consumer" and exchange.consumer else exchange.client

    def _tell(self, told: Headers, left: dict[str, int], now: int) -> int:
        """Writes what is left into the headers; gives the seconds until more is."""
        tightest = min(left, key=lambda period: (left[period], -_SECONDS[period]))
        reset = max(1, _SECONDS[tightest] - now % _SECONDS[tightest])
        for period, rest in left.items():
            told.set(f"X-RateLimit-Limit-{period.title()}", str(self._limits[period]))
            told.set(f"X-RateLimit-Remaining-{period.title()}", str(rest))
        told.set("RateLimit-Limit", str(self._limits[tightest]))
        told.set("RateLimit-Remaining", str(left[tightest]))
        told.set("RateLimit-Reset", str(reset))
        return reset

    def _count(self, window: tuple[str, str, int], now: int) -> None:
        if len(self._counts) >= _MOST_COUNTS:
            self._counts = {key: count for key, count in self._counts.items() if key[2] >= now // _SECONDS[key[1]]}
        if len(self._counts) >= _MOST_COUNTS:
            self._counts.pop(next(iter(self._counts)))
        self._counts[window] = self._counts.get(window, 0) + 1
