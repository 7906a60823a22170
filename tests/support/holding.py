"""Wait for a condition in this process."""

import asyncio
import time
from collections.abc import Callable


async def until(holds: Callable[[], bool], within: float = 5.0) -> None:
    """Return as soon as `holds` returns true; fail the test after `within` seconds."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"not true within {within} s"
        await asyncio.sleep(0.005)
