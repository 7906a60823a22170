"""Counters that expire: the subset of nginx's shared dictionary that kong.yml uses."""

from collections.abc import Callable

_MAX_COUNTERS = 10_000


class Counters:
    """Counters by key, each with an expiry time in seconds of the clock. At 10,000, the oldest is dropped."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counts: dict[str, tuple[int, float]] = {}

    def incr(self, key: str, by: int, initial: int, seconds: float) -> int:
        """Add `by` to a counter and return it. A missing counter starts at `initial` and expires after `seconds`."""
        now = self._clock()
        count, expires = self._counts.get(key, (initial, now + seconds))
        if now >= expires:
            count, expires = initial, now + seconds
        if key not in self._counts and len(self._counts) >= _MAX_COUNTERS:
            self._counts.pop(next(iter(self._counts)))
        self._counts[key] = count + by, expires
        return count + by

    def get(self, key: str) -> int:
        """Return the value of a counter, or 0 if there is none."""
        count, expires = self._counts.get(key, (0, 0.0))
        return count if self._clock() < expires else 0

    def ttl(self, key: str) -> float | None:
        """Return the seconds until a counter expires, or None if there is none."""
        return self._counts[key][1] - self._clock() if key in self._counts else None
