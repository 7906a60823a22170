"""Run background jobs for the lifetime of the process, restart them with a backoff, and take batches from queues."""

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
    """Return a random factor of 0.5 to 1.5 for a pause, so that clients that failed together do not retry together."""
    return random.uniform(0.5, 1.5)  # noqa: S311 (not for security)


@asynccontextmanager
async def background(
    jobs: Mapping[str, Job], registry: CollectorRegistry, jitter: Jitter = jitter
) -> AsyncIterator[None]:
    """Run each job under its name for the duration of the block; then cancel all jobs and wait until they end."""
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
    """Cancel tasks and wait until all of them have ended."""
    # Before Python 3.12, asyncio.wait_for, which redis-py uses, can swallow a cancellation: repeat it until it works.
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
    # A job can also raise CancelledError itself, for example when its gRPC channel is closed. That is a normal error.
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def backoff(failures: int, first: P, longest: P) -> P:
    """Return the pause after `failures` consecutive failures, at least 1: doubled for each failure, up to `longest`."""
    doubled: P = first * 2 ** min(failures - 1, _DOUBLINGS_MAX)
    return min(doubled, longest)


async def next_batch(queue: asyncio.Queue[T], limit: int, gather_seconds: float = 0) -> list[T]:
    """Return at most `limit` items: wait for the first one, then `gather_seconds` for more."""
    batch = [await queue.get()]
    await asyncio.sleep(gather_seconds)
    return batch + waiting(queue, limit - 1)


def waiting(queue: asyncio.Queue[T], limit: int) -> list[T]:
    """Return at most `limit` of the items that are in the queue now, without waiting."""
    batch: list[T] = []
    while len(batch) < limit and not queue.empty():
        batch.append(queue.get_nowait())
    return batch
