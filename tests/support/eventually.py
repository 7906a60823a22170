"""Waiting for a thing to be so."""

import asyncio
from collections.abc import Awaitable, Callable


async def eventually(holds: Callable[[], Awaitable[bool]], *, within: float = 30) -> None:
    """Returns as soon as `holds` says yes; raises TimeoutError when it has not within so many seconds."""
    async with asyncio.timeout(within):
        while not await holds():  # noqa: ASYNC110 (what is waited for happens in other processes)
            await asyncio.sleep(0.02)
