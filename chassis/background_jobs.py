"""Work in the background that must not stop: it is started again after every error, with growing pauses."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager

import structlog
from prometheus_client import CollectorRegistry, Counter

_log = structlog.get_logger("background")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_CANCELLATION_REPEAT = 0.2

Job = Callable[[], Awaitable[None]]
Jitter = Callable[[], float]


def spread() -> float:
    """A factor around 1 for a pause, so that those who fail together do not come back together."""
    return random.uniform(0.5, 1.5)  # noqa: S311 (guards nothing)


@asynccontextmanager
async def background(
    jobs: Mapping[str, Job], registry: CollectorRegistry, jitter: Jitter = spread
) -> AsyncIterator[None]:
    """Runs each job, under its name, for as long as the block lasts; then cancels them and waits for their end."""
    failures = Counter(
        "background_failures_total",
        "Errors that stopped a background job before it was run again.",
        ["job"],
        registry=registry,
    )
    tasks = [asyncio.create_task(_keep_running(name, job, failures, jitter), name=name) for name, job in jobs.items()]
    try:
        yield
    finally:
        await end(tasks)


async def end(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancels tasks and waits until the last of them has ended."""
    # Before Python 3.12 asyncio.wait_for, which redis uses, may swallow a cancellation: repeat it until it is heard.
    running: Collection[asyncio.Task[None]] = tasks
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=_CANCELLATION_REPEAT)


async def _keep_running(name: str, job: Job, failures: Counter, jitter: Jitter) -> None:
    failures.labels(name)
    pause = _FIRST_PAUSE
    while True:
        begun = asyncio.get_running_loop().time()
        try:
            await job()
        except (Exception, asyncio.CancelledError) as error:
            if not _is_being_cancelled():
                failures.labels(name).inc()
                _log.warning("background job failed", job=name, error=f"{type(error).__name__}: {error}")
        if _is_being_cancelled():
            return
        if asyncio.get_running_loop().time() - begun > _LONGEST_PAUSE:
            pause = _FIRST_PAUSE
        await asyncio.sleep(pause * jitter())
        pause = min(pause * 2, _LONGEST_PAUSE)


def _is_being_cancelled() -> bool:
    # A cancellation may come from within too, as from a gRPC channel that is closed; that one is an error like others.
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
