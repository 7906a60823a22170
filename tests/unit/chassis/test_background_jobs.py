"""A background job is always restarted, and always ends with its block."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from prometheus_client import CollectorRegistry

from chassis.background_jobs import background
from tests.support.holding import until

WITHIN = 10


class Flaky:
    """A job that ends with `error` in every run except the last, in which it waits; records the start of each run."""

    def __init__(self, error: BaseException | None, runs: int) -> None:
        self._error = error
        self._runs = runs
        self.begun: list[float] = []
        self.stays = asyncio.Event()
        self.was_cancelled = False

    async def __call__(self) -> None:
        self.begun.append(asyncio.get_running_loop().time())
        if len(self.begun) < self._runs:
            if self._error is not None:
                raise self._error
            return
        self.stays.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.was_cancelled = True


def failures(registry: CollectorRegistry, job: str) -> float | None:
    return registry.get_sample_value("background_failures_total", {"job": job})


@pytest.mark.parametrize("error", [OSError("away"), asyncio.CancelledError(), TimeoutError()])
async def test_a_failed_job_is_counted_and_restarted_after_growing_pauses(error: BaseException) -> None:
    registry, job = CollectorRegistry(), Flaky(error, runs=4)
    async with background({"relay": job}, registry):
        await asyncio.wait_for(job.stays.wait(), WITHIN)
    pauses = [after - before for before, after in zip(job.begun, job.begun[1:], strict=False)]
    for pause, shortest in zip(pauses, (0.05, 0.1, 0.2), strict=True):
        assert pause >= shortest * 0.99
    assert failures(registry, "relay") == 3


async def test_a_job_that_returns_is_restarted_and_not_counted_as_failed() -> None:
    registry, job = CollectorRegistry(), Flaky(None, runs=2)
    async with background({"relay": job}, registry):
        await asyncio.wait_for(job.stays.wait(), WITHIN)
    assert failures(registry, "relay") == 0


async def test_a_failing_job_does_not_affect_other_jobs() -> None:
    registry, steady = CollectorRegistry(), Flaky(None, runs=1)

    async def failing() -> None:
        raise OSError("away")

    async with background({"failing": failing, "steady": steady}, registry):
        await until(lambda: (failures(registry, "failing") or 0) >= 2)
    assert len(steady.begun) == 1
    assert failures(registry, "steady") == 0


async def test_at_the_end_every_job_is_cancelled_and_its_cleanup_is_awaited() -> None:
    jobs = [Flaky(None, runs=1) for _ in range(3)]
    before = asyncio.all_tasks()
    async with background({str(number): job for number, job in enumerate(jobs)}, CollectorRegistry()):
        await asyncio.gather(*(asyncio.wait_for(job.stays.wait(), WITHIN) for job in jobs))
    assert all(job.was_cancelled for job in jobs)
    assert asyncio.all_tasks() == before


async def swallow(running: asyncio.Event) -> None:
    running.set()
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return


async def turn_into_an_error(running: asyncio.Event) -> None:
    running.set()
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        raise OSError("interrupted") from None


@pytest.mark.parametrize("answer", [swallow, turn_into_an_error])
async def test_a_job_ends_regardless_of_how_it_handles_cancellation(
    answer: Callable[[asyncio.Event], Awaitable[None]],
) -> None:
    running, registry = asyncio.Event(), CollectorRegistry()
    async with asyncio.timeout(WITHIN):
        async with background({"job": partial(answer, running)}, registry):
            await running.wait()
    assert failures(registry, "job") == 0


async def test_an_error_in_the_block_also_ends_the_jobs() -> None:
    job = Flaky(None, runs=1)

    async def fail() -> None:
        async with background({"job": job}, CollectorRegistry()):
            await asyncio.wait_for(job.stays.wait(), WITHIN)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert job.was_cancelled
