"""Waiting inside this process for something to hold, with a bound."""

import asyncio
import time
from collections.abc import Callable


async def until(holds: Callable[[], bool], within: float = 5.0) -> None:
    """Returns as soon as `holds()` is true; fails the test when it is not after `within` seconds."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"not true within {within} s"
        await asyncio.sleep(0.005)
