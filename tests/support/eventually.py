"""Wait for an asynchronous condition."""

import asyncio
from collections.abc import Awaitable, Callable


async def eventually(holds: Callable[[], Awaitable[bool]], *, within: float = 30) -> None:
    """Return as soon as `holds` returns true. Raises TimeoutError after `within` seconds."""
    async with asyncio.timeout(within):
        while not await holds():  # noqa: ASYNC110 (the condition depends on other processes)
            await asyncio.sleep(0.02)
