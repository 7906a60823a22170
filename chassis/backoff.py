"""Exponential backoff: each pause is twice the one before, up to a maximum."""

import random
from datetime import timedelta
from typing import TypeVar

P = TypeVar("P", int, float, timedelta)

_DOUBLINGS_MAX = 32


def pause(failures: int, first: P, longest: P) -> P:
    """The pause after so many failures in a row, at least one."""
    doubled: P = first * 2 ** min(failures - 1, _DOUBLINGS_MAX)
    return min(doubled, longest)


def jitter() -> float:
    """A random factor around 1 for a pause, so that clients that failed together do not retry together."""
    return random.uniform(0.5, 1.5)  # noqa: S311 (spreads load, guards nothing)
