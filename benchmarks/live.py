"""Measure the delay from a new task to its event at a watcher, and the cost of watchers: `make bench-live`.

It starts its own mesh, one process per service, and sends requests from this process. The client is minimal, but the
mesh and the client share the cores of the machine: compare only results of the same machine.
"""

import asyncio
import resource
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop

from benchmarks.events import USERS, create_at_rate
from benchmarks.requests import Latencies
from tests.faults.harness.system import System, system
from tests.support.edge_api.light_client import creator, watched, watching

RATES = (50, 200)
SECONDS, WARM_UP_SECONDS = 10.0, 2.0
WATCHERS, EVENTS = 1_000, 20
IDLE = (1_000, 2_500, 5_000)


class Stopwatch:
    """Measures the time from when a create was scheduled to when a watcher received its event."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._due: dict[str, float] = {}
        self._changed = asyncio.Event()

    def starts(self, title: str, due: float) -> None:
        """Start the time of a create."""
        self._due[title] = due

    def stops(self, title: str, at: float) -> None:
        """Record the time of an event."""
        if title in self._due:
            self.seconds.append(at - self._due[title])
            self._changed.set()

    async def recorded(self, count: int) -> None:
        """Wait up to 60 seconds until `count` times were measured."""
        async with asyncio.timeout(60):
            while len(self.seconds) < count:
                self._changed.clear()
                await self._changed.wait()


def say(line: str) -> None:
    """Print a line without buffering, so that a long run shows its progress."""
    print(line, flush=True)


async def at_rate(port: int, rate: float | None) -> str:
    """Create tasks at a fixed rate, or as fast as possible; with one watcher per user."""
    stopwatch = Stopwatch()
    watchers = [await watching(port, user, stopwatch.stops) for user in USERS]
    await create_at_rate(port, USERS, rate, WARM_UP_SECONDS)
    begun = time.perf_counter()
    created = await create_at_rate(port, USERS, rate, SECONDS, due=stopwatch.starts)
    took = time.perf_counter() - begun
    await stopwatch.recorded(created)
    for connection in watchers:
        connection.transport.abort()
    return f"{created / max(took, SECONDS):6.0f}/s   {Latencies(stopwatch.seconds)}"


async def one_to_many(port: int) -> str:
    """Send one user's events to a thousand watchers of that user, one event at a time."""
    stopwatch = Stopwatch()
    async with watched(port, ["crowd"] * WATCHERS, stopwatch.stops):
        connection = await creator(port, "crowd")
        for event in range(EVENTS):
            title = f"event {event}"
            stopwatch.starts(title, time.perf_counter())
            await connection.create(title)
            await stopwatch.recorded((event + 1) * WATCHERS)
    return str(Latencies(stopwatch.seconds))


async def idle_watchers(port: int, mesh: System) -> list[str]:
    """Return the growth of the edge's memory per idle watcher, with one user per watcher."""
    base, lines, open_now = await _resident(mesh), [], 0
    async with AsyncExitStack() as stack:
        for count in IDLE:
            users = [f"idle-{number}" for number in range(open_now, count)]
            await stack.enter_async_context(watched(port, users))
            open_now = count
            lines.append(f"{count:6d}     {(await _resident(mesh) - base) / count / 1024:5.1f} KiB each")
    return lines


async def _resident(mesh: System) -> float:
    return (await mesh.metrics("edge_api"))["process_resident_memory_bytes"]


async def main() -> None:
    """Run every measurement and print the results."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))

        async def mesh(name: str) -> tuple[System, int]:
            limit = str(2 * WATCHERS)
            running = stack.enter_context(
                system(directory / name, EDGE_MAX_WATCHERS_PER_USER=limit, LOG_LEVEL="warning")
            )
            await running.start()
            return running, running.edge_port

        say("create → event at a watcher of the edge, 10 s each, one watcher for each of 8 users")
        _, port = await mesh("rates")
        for rate in RATES:
            say(f"  {rate:>4}/s      {await at_rate(port, rate)}")
        say(f"   maximum   {await at_rate(port, None)}")
        say(f"one event → {WATCHERS} watchers, {EVENTS} times")
        say(f"               {await one_to_many(port)}")
        say("memory of the edge by idle watchers")
        running, port = await mesh("idle")
        for line in await idle_watchers(port, running):
            say(f"  {line}")


if __name__ == "__main__":
    uvloop.run(main())
