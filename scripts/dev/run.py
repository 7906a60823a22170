"""Starts all processes, watches them, and always stops them in order."""

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
# Node reports a signal by its exit status.
_GOOD = (0, -signal.SIGTERM, 128 + signal.SIGTERM)

Welcome = Callable[[float], str]
"""Returns the message for a start that took that many seconds."""


async def run(parts: Sequence[Part], console: Console, welcome: Welcome) -> int:
    """Run the parts until a signal arrives or one of them ends, then stop them in the given order.

    Return the exit status: 0 if a signal ended the run and all parts stopped without an error.
    """
    stop = asyncio.Event()
    children: list[Child] = []
    failures: list[str] = []
    with _signals(stop, children):
        try:
            for part in reversed(parts):
                children.insert(0, await Child.start(part.name, part.command, part.environment, console))
            reasons = (_signal(stop), *(_end_of(child) for child in children), _readiness(parts, console, welcome))
            failures += await _first(*reasons)
        finally:
            console.hurry(_FLUSH_WITHIN)
            await console.say("\n".join([*failures, "stopping"]))
            failures += await _stop(children, console, failures)
    await console.flush(_FLUSH_WITHIN)
    return 1 if failures else 0


async def _first(*reasons: Coroutine[Any, Any, list[str]]) -> list[str]:
    """Wait for the first reason to stop. Return the errors, if there are any."""
    tasks = [asyncio.create_task(reason) for reason in reasons]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task for task in tasks if task in done).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _signal(stop: asyncio.Event) -> list[str]:
    await stop.wait()
    return []


async def _end_of(child: Child) -> list[str]:
    return [f"{child.name} {describe(await child.ended())}"]


async def _readiness(parts: Sequence[Part], console: Console, welcome: Welcome) -> list[str]:
    begun = time.monotonic()
    try:
        await all_ready({part.name: part.ready for part in parts if part.ready}, _READY_WITHIN)
    except NotReady as error:
        return [str(error)]
    await console.say(welcome(time.monotonic() - begun))
    return await asyncio.Future()


async def _stop(children: Sequence[Child], console: Console, reported: Sequence[str]) -> list[str]:
    """Stop the children one after the other. Return the errors that are not reported yet."""
    failures = []
    for child in children:
        status = await child.stop(_STOP_WITHIN)
        failure = f"{child.name} {describe(status)}"
        # A process that is still starting has no signal handler yet, and SIGTERM kills it.
        if status not in _GOOD and failure not in reported:
            await console.say(failure)
            failures.append(failure)
    return failures


@contextmanager
def _signals(stop: asyncio.Event, children: Sequence[Child]) -> Iterator[None]:
    """Set `stop` at SIGINT, SIGTERM and SIGHUP. A second SIGINT kills all children immediately."""
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
