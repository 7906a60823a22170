"""Waits until all processes are ready, and reports those that are not."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

from chassis.probe import Unhealthy, check

_PAUSE = 0.1


class NotReady(Exception):
    """Some processes are not ready; the message names them, with the reasons."""


async def all_ready(addresses: Mapping[str, str], seconds: float) -> None:
    """Wait until the address of each process, in the form of `chassis.probe`, is healthy.

    Raise NotReady after `seconds`.
    """
    reasons = dict.fromkeys(addresses, "not checked")

    async def wait_for(name: str) -> None:
        while name in reasons:
            try:
                await asyncio.to_thread(check, urlsplit(addresses[name]))
            except Unhealthy as error:
                reasons[name] = str(error)
                await asyncio.sleep(_PAUSE)
            else:
                del reasons[name]

    try:
        async with asyncio.timeout(seconds):
            await asyncio.gather(*map(wait_for, addresses))
    except TimeoutError:
        lines = "".join(f"\n  {name}: {reason}" for name, reason in reasons.items())
        msg = f"not ready after {seconds:g} s:{lines}"
        raise NotReady(msg) from None
