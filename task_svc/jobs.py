"""What the task service does now and then: reminding, purging deleted tasks, counting the outbox."""

import asyncio

import structlog

from task_svc.domain import KEPT_AFTER_DELETION
from task_svc.outbox import Clock
from task_svc.relay_metrics import RelayMetrics
from task_svc.repository import TaskRepository
from task_svc.use_cases import Tasks

_log = structlog.get_logger("jobs")

_PURGE_PAUSE = 3600.0
_PURGE_BATCH = 200
_REFRESH_PAUSE = 2.0
_REMIND_PAUSE = 1.0
_REMIND_BATCH = 200


async def keep_purging(store: TaskRepository, clock: Clock) -> None:
    """Purges once an hour, for ever. Raises when the store is away."""
    while True:
        await purge_once(store, clock)
        await asyncio.sleep(_PURGE_PAUSE)


async def purge_once(store: TaskRepository, clock: Clock) -> int:
    """Removes the tasks whose time after deletion is over, a batch at a time; tells how many."""
    purged = 0
    while batch := await store.purge(clock() - KEPT_AFTER_DELETION, _PURGE_BATCH):
        purged += batch
    if purged:
        _log.info("purged", tasks=purged)
    return purged


async def keep_reminding(tasks: Tasks) -> None:
    """Looks every second for tasks that come due, for ever. Raises when the store is away."""
    while True:
        if await tasks.remind(_REMIND_BATCH) < _REMIND_BATCH:
            await asyncio.sleep(_REMIND_PAUSE)


async def keep_refreshing(metrics: RelayMetrics, store: TaskRepository, clock: Clock) -> None:
    """Counts the outbox every two seconds, for ever. Raises when the store is away."""
    while True:
        await metrics.refresh(store, clock)
        await asyncio.sleep(_REFRESH_PAUSE)
