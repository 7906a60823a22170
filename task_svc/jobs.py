"""The periodic background jobs of the task service: reminders, purging, migration of texts, outbox gauges."""

import asyncio
import time

import structlog

from task_svc.domain import KEPT_AFTER_DELETION
from task_svc.outbox import Clock
from task_svc.relay_metrics import RelayMetrics
from task_svc.repository import TaskRepository
from task_svc.use_cases import Tasks

_log = structlog.get_logger("jobs")

_PURGE_PAUSE = 3600.0
_PURGE_BATCH = 200
_MIGRATION_BATCH = 25  # a write about as long as others
_MIGRATION_PAUSE_FACTOR = 2  # of the duration of a batch: the store is free for requests most of the time
_MIGRATION_REPEAT = 3600.0  # longer than a rolling update
_REFRESH_PAUSE = 2.0
_REMIND_PAUSE = 1.0
_REMIND_BATCH = 200


async def keep_purging(store: TaskRepository, clock: Clock) -> None:
    """Purge deleted tasks every hour, forever. Raises Unavailable while the store is unavailable."""
    while True:
        await purge_once(store, clock)
        await asyncio.sleep(_PURGE_PAUSE)


async def purge_once(store: TaskRepository, clock: Clock) -> int:
    """Remove, in batches, all tasks that were deleted more than KEPT_AFTER_DELETION ago; return their number."""
    purged = 0
    while batch := await store.purge(clock() - KEPT_AFTER_DELETION, _PURGE_BATCH):
        purged += batch
    if purged:
        _log.info("purged", tasks=purged)
    return purged


async def keep_migrating_texts(store: TaskRepository) -> None:
    """Migrate the texts that an earlier release stored, forever: one may still run during a rolling update."""
    while True:
        begun = time.monotonic()
        is_more_left = await store.migrate_texts(_MIGRATION_BATCH)
        pause = _MIGRATION_PAUSE_FACTOR * (time.monotonic() - begun)
        await asyncio.sleep(pause if is_more_left else _MIGRATION_REPEAT)


async def keep_reminding(tasks: Tasks) -> None:
    """Check for due reminders every second, forever. Raises Unavailable while the store is unavailable."""
    while True:
        if await tasks.remind(_REMIND_BATCH) < _REMIND_BATCH:
            await asyncio.sleep(_REMIND_PAUSE)


async def keep_refreshing(metrics: RelayMetrics, store: TaskRepository, clock: Clock) -> None:
    """Refresh the outbox gauges every two seconds, forever. Raises Unavailable while the store is unavailable."""
    while True:
        await metrics.refresh(store, clock)
        await asyncio.sleep(_REFRESH_PAUSE)
