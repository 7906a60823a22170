"""The MongoDB store while its server is down, hangs or is killed.

Always on an nx-27017 of its own, also if MONGODB_TEST_URL is set: the tests kill and freeze the server.
"""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from chassis.errors import DeadlineExceeded, ServiceError, Unavailable
from chassis.grpc_api import deadlines
from task_svc.mongo import store as mongo
from task_svc.repository import Filter, Order, TaskRepository
from tests.integration.task_svc.stores import until_usable
from tests.support.task_svc.mongo import Nx27017
from tests.support.task_svc.tasks import creation, new_task

Call = Callable[[], Awaitable[object]]

WITHIN = 3.0
BACK_WITHIN = 10.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Nx27017]:
    running = Nx27017(tmp_path / "nx-27017")
    running.start()
    yield running
    running.kill()


@pytest.fixture
async def store(server: Nx27017) -> AsyncIterator[TaskRepository]:
    async with mongo.open_store(server.url("tasks")) as opened:
        await until_usable(opened)
        yield opened


async def outcomes(call: Call, times: int, *, within: float | None = None) -> Counter[type[object]]:
    """Return the types of results or ServiceErrors of concurrent calls; each must end within WITHIN seconds."""
    begun = time.monotonic()

    async def one() -> type[object]:
        if within is not None:
            deadlines.set_remaining(within)
        try:
            return type(await call())
        except ServiceError as error:
            return type(error)
        finally:
            assert time.monotonic() - begun <= WITHIN

    return Counter(await asyncio.gather(*(one() for _ in range(times))))


def calls(store: TaskRepository) -> list[Call]:
    return [
        lambda: store.insert(creation(new_task())),
        lambda: store.list("ann", Filter(), Order(), None, 10),
        lambda: store.get("ann", new_task().id),
        store.ping,
    ]


@pytest.mark.parametrize("trial", range(5))
async def test_acknowledged_writes_survive_a_kill_of_the_server(
    server: Nx27017, store: TaskRepository, trial: int
) -> None:
    acknowledged: list[str] = []
    failed: list[Exception] = []

    async def write() -> None:
        while not failed:
            task = new_task()
            try:
                await store.insert(creation(task, task.id))
            except ServiceError as error:
                failed.append(error)
            else:
                acknowledged.append(task.id)

    writers = asyncio.gather(*(write() for _ in range(20)))
    while len(acknowledged) < 100 + 50 * trial:  # noqa: ASYNC110 (each trial kills the server at another moment)
        await asyncio.sleep(0.005)
    await server.restart()
    await writers
    await until_usable(store, within=BACK_WITHIN)

    for task_id in acknowledged:
        await store.get("ann", task_id)
    assert (await store.backlog()).unpublished >= len(acknowledged)


async def test_calls_fail_fast_while_the_server_is_down_and_work_when_it_is_up_again(
    server: Nx27017, store: TaskRepository
) -> None:
    await store.insert(creation(before := new_task()))
    in_flight = asyncio.create_task(outcomes(calls(store)[0], 200))
    await asyncio.sleep(0.02)
    server.kill()
    assert (await in_flight)[Unavailable] > 0
    for call in calls(store):
        assert await outcomes(call, 100) == {Unavailable: 100}

    await asyncio.to_thread(server.start)
    await until_usable(store, within=BACK_WITHIN)
    assert await store.get("ann", before.id) == before
    assert (await store.insert(creation(new_task()))).is_new


async def test_calls_fail_fast_while_the_server_hangs(server: Nx27017, store: TaskRepository) -> None:
    server.send(signal.SIGSTOP)
    for call in calls(store):
        assert await outcomes(call, 100) == {Unavailable: 100}

    server.send(signal.SIGCONT)
    await until_usable(store, within=BACK_WITHIN)
    assert (await store.insert(creation(new_task()))).is_new


# With many calls, those without a connection may get Unavailable just before their deadline.
@pytest.mark.parametrize(("times", "allowed"), [(1, {DeadlineExceeded}), (20, {DeadlineExceeded, Unavailable})])
async def test_a_deadline_that_passes_first_is_deadline_exceeded(
    server: Nx27017, store: TaskRepository, times: int, allowed: set[type[object]]
) -> None:
    for call in calls(store):
        await until_usable(store, within=BACK_WITHIN)
        server.send(signal.SIGSTOP)
        begun = time.monotonic()
        found = await outcomes(call, times, within=0.3)
        assert time.monotonic() - begun < 3  # the driver's default is 30 s
        server.send(signal.SIGCONT)
        assert {DeadlineExceeded} <= found.keys() <= allowed


async def test_a_server_that_starts_after_the_store_was_opened_is_used(tmp_path: Path) -> None:
    server = Nx27017(tmp_path / "nx-27017")
    async with mongo.open_store(server.url("tasks")) as store:
        with pytest.raises(Unavailable):
            await store.ping()
        await asyncio.to_thread(server.start)
        await until_usable(store, within=BACK_WITHIN)
        assert (await store.insert(creation(new_task()))).is_new
    server.kill()


async def test_errors_contain_no_host_name(server: Nx27017, store: TaskRepository) -> None:
    server.kill()
    with pytest.raises(Unavailable) as raised:
        await store.get("ann", new_task().id)

    assert raised.value.reason == "STORE_UNAVAILABLE"
    assert "127.0.0.1" not in raised.value.message
