"""Metrics show a blocked event loop and its running tasks."""

import asyncio
import time

from prometheus_client import CollectorRegistry

from chassis.background_jobs import background
from chassis.metrics import LoopMetrics
from tests.support.holding import until


async def test_a_blocked_loop_shows_lag() -> None:
    registry = CollectorRegistry()
    async with background({"measure-loop": LoopMetrics(registry).run}, registry):
        await asyncio.sleep(0)
        time.sleep(0.8)  # noqa: ASYNC251 (the fault itself)
        await until(lambda: (registry.get_sample_value("event_loop_lag_seconds_count") or 0) > 0)
    assert (registry.get_sample_value("event_loop_lag_seconds_sum") or 0) >= 0.2


async def test_a_task_is_counted_until_it_has_ended() -> None:
    registry = CollectorRegistry()
    async with background({"measure-loop": LoopMetrics(registry).run}, registry):
        await asyncio.sleep(0)
        before = registry.get_sample_value("asyncio_tasks") or 0
        task = asyncio.create_task(asyncio.sleep(60))
        assert registry.get_sample_value("asyncio_tasks") == before + 1
        task.cancel()
        await asyncio.wait((task,))
        assert registry.get_sample_value("asyncio_tasks") == before
