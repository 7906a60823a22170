"""Starts all parts, watches them, and stops them in order, whatever happens in between."""

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from scripts.dev.child import Child, describe
from scripts.dev.console import Console
from scripts.dev.parts import Part
from scripts.dev.ready import NotReady, all_ready

_READY_WITHIN = 60.0
_STOP_WITHIN = 15.0
_FLUSH_WITHIN = 1.0
# Node says by its status what others say by the signal that ended them.
_GOOD = (0, -signal.SIGTERM, 128 + signal.SIGTERM)

Welcome = Callable[[float], str]
"""What to say once all are ready, from the seconds that it took."""


async def run(parts: Sequence[Part], console: Console, welcome: Welcome) -> int:
    """Runs the parts until a signal comes or one of them ends; stops them in the order in which they are given.

    Returns the exit status: 0 when a signal ended it and all parts ended well.
    """
    stop = asyncio.Event()
    children: list[Child] = []
    failures: list[str] = []
    with _signals(stop, children):
        try:
            for part in reversed(parts):
                children.insert(0, await Child.start(part.name, part.command, part.environment, console))
            reasons = (_told_to(stop), *(_end_of(child) for child in children), _readiness(parts, console, welcome))
            failures += await _first(*reasons)
        finally:
            console.hurry(_FLUSH_WITHIN)
            await console.say("\n".join([*failures, "stopping"]))
            failures += await _stop(children, console, failures)
    await console.flush(_FLUSH_WITHIN)
    return 1 if failures else 0


async def _first(*reasons: Coroutine[Any, Any, list[str]]) -> list[str]:
    """Waits for the first reason to stop: what went wrong, if anything did."""
    tasks = [asyncio.create_task(reason) for reason in reasons]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task for task in tasks if task in done).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _told_to(stop: asyncio.Event) -> list[str]:
    await stop.wait()
    return []


async def _end_of(child: Child) -> list[str]:
    return [f"{child.name} {describe(await child.ended())}"]


async def _readiness(parts: Sequence[Part], console: Console, welcome: Welcome) -> list[str]:
    begun = time.monotonic()
    try:
        await all_ready({part.name: part.probe for part in parts}, _READY_WITHIN)
    except NotReady as error:
        return [str(error)]
    await console.say(welcome(time.monotonic() - begun))
    return await asyncio.Future()


async def _stop(children: Sequence[Child], console: Console, told: Sequence[str]) -> list[str]:
    """Stops the children one after the other; what went wrong with them, but for what was told already."""
    failures = []
    for child in children:
        status = await child.stop(_STOP_WITHIN)
        failure = f"{child.name} {describe(status)}"
        # One that was still starting up has no handler yet and ends by the signal itself.
        if status not in _GOOD and failure not in told:
            await console.say(failure)
            failures.append(failure)
    return failures


@contextmanager
def _signals(stop: asyncio.Event, children: Sequence[Child]) -> Iterator[None]:
    """Sets `stop` at SIGINT, SIGTERM and SIGHUP; a second SIGINT, from somebody who cannot wait, kills at once."""
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        if stop.is_set():
            for child in children:
                child.kill()
        stop.set()

    handlers = {signal.SIGINT: interrupt, signal.SIGTERM: stop.set, signal.SIGHUP: stop.set}
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)
