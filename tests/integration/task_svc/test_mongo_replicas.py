"""Several replicas on one database do not lose each other's writes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from task_svc.domain import Task
from task_svc.mongo import store as mongo
from task_svc.outbox import OutboxEntry, PublishMark
from task_svc.repository import TaskRepository
from tests.integration.task_svc.stores import until_usable
from tests.support.task_svc.mongo import MongoServer, database
from tests.support.task_svc.tasks import START, creation, new_task, pending, written

REPLICAS = 4


@pytest.fixture
async def replicas(mongo_server: MongoServer) -> AsyncIterator[list[TaskRepository]]:
    """Replicas that open a new database at the same time."""
    async with AsyncExitStack() as stack:
        url = stack.enter_context(database(mongo_server))
        stores: list[TaskRepository] = [await stack.enter_async_context(mongo.open_store(url)) for _ in range(REPLICAS)]
        await asyncio.gather(*(until_usable(store) for store in stores))
        yield stores


async def test_the_same_request_at_all_replicas_creates_one_task(replicas: list[TaskRepository]) -> None:
    results = await asyncio.gather(
        *(store.insert(creation(new_task(), "key")) for _ in range(10) for store in replicas)
    )

    assert sum(created.is_new for created in results) == 1
    assert len({created.task.id for created in results}) == 1


async def test_no_change_of_one_replica_is_lost_to_another(replicas: list[TaskRepository]) -> None:
    task = new_task(title="0")
    await replicas[0].insert(creation(task))

    def count_up(found: Task) -> tuple[Task, OutboxEntry]:
        new = written(found, title=str(int(found.fields.title) + 1))
        return new, pending(new)

    await asyncio.gather(*(store.change("ann", task.id, count_up) for _ in range(10) for store in replicas))

    assert (await replicas[0].get("ann", task.id)).fields.title == str(10 * REPLICAS)


async def test_an_event_is_confirmed_once_and_can_be_marked_by_any_replica(replicas: list[TaskRepository]) -> None:
    created = creation(new_task())
    await replicas[0].insert(created)
    await replicas[1].mark_published([PublishMark(created.event.id, "1-1", START)])

    (event,) = await replicas[2].pending(START, 10)
    cleared = await asyncio.gather(*(store.confirmed([created.event.id]) for store in replicas))

    assert (event.id, event.entry_id) == (created.event.id, "1-1")
    assert sum(cleared) == 1
