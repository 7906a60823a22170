"""Background jobs, which run as long as the process: restarts with a backoff, and batches taken from a queue."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

import structlog
from prometheus_client import CollectorRegistry, Counter

_log = structlog.get_logger("background")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_CANCELLATION_REPEAT = 0.2
_DOUBLINGS_MAX = 32

Job = Callable[[], Awaitable[None]]
Jitter = Callable[[], float]
P = TypeVar("P", int, float, timedelta)
T = TypeVar("T")


def jitter() -> float:
    """A random factor around 1 for a pause, so that clients that failed together do not retry together."""
    return random.uniform(0.5, 1.5)  # noqa: S311 (spreads load, guards nothing)


@asynccontextmanager
async def background(
    jobs: Mapping[str, Job], registry: CollectorRegistry, jitter: Jitter = jitter
) -> AsyncIterator[None]:
    """Runs each job, under its name, for as long as the block lasts; then cancels them and waits for their end."""
    failures = Counter(
        "background_failures_total",
        "Errors after which a background job was restarted.",
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
    failed = 0
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
            failed = 0
        failed += 1
        await asyncio.sleep(backoff(failed, _FIRST_PAUSE, _LONGEST_PAUSE) * jitter())


def _is_being_cancelled() -> bool:
    # A cancellation may come from within too, as from a gRPC channel that is closed; that one is an error like others.
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def backoff(failures: int, first: P, longest: P) -> P:
    """The pause after so many failures in a row, at least one: doubled each time, up to the longest."""
    doubled: P = first * 2 ** min(failures - 1, _DOUBLINGS_MAX)
    return min(doubled, longest)


async def next_batch(queue: asyncio.Queue[T], limit: int, gather_seconds: float = 0) -> list[T]:
    """At most `limit` items: waits for the first one, and then `gather_seconds` for more."""
    batch = [await queue.get()]
    await asyncio.sleep(gather_seconds)
    return batch + waiting(queue, limit - 1)


def waiting(queue: asyncio.Queue[T], limit: int) -> list[T]:
    """At most `limit` of the items that are in the queue now."""
    batch: list[T] = []
    while len(batch) < limit and not queue.empty():
        batch.append(queue.get_nowait())
    return batch
