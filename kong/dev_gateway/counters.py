"""Counters that expire: nginx's shared dictionary, as far as kong.yml uses it."""

from collections.abc import Callable

_MOST = 10_000


class Counters:
    """Numbers by key, each with the time at which it expires, in seconds of the clock."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counts: dict[str, tuple[int, float]] = {}

    def incr(self, key: str, by: int, initial: int, seconds: float) -> int:
        """Adds to a counter; begins at `initial` where there is none, and then expires after `seconds`."""
        now = self._clock()
        count, expires = self._counts.get(key, (initial, now + seconds))
        if now >= expires:
            count, expires = initial, now + seconds
        if key not in self._counts and len(self._counts) >= _MOST:
            self._counts.pop(next(iter(self._counts)))
        self._counts[key] = count + by, expires
        return count + by

    def get(self, key: str) -> int:
        """The value of a counter, 0 where there is none."""
        count, expires = self._counts.get(key, (0, 0.0))
        return count if self._clock() < expires else 0

    def ttl(self, key: str) -> float | None:
        """Seconds until a counter expires, None where there is none."""
        return self._counts[key][1] - self._clock() if key in self._counts else None
