"""Several replicas on one database: each opens it for itself, and nothing that one does is lost to another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from task_svc.domain import Task
from task_svc.mongo import store as mongo
from task_svc.outbox import OutboxEntry, PublishMark
from task_svc.repository import TaskRepository
from tests.integration.task_svc.stores import until_usable
from tests.support.task_svc.mongo import Nx27017, database
from tests.support.task_svc.tasks import START, creation, new_task, pending, written

REPLICAS = 4


@pytest.fixture
async def replicas(nx27017: Nx27017) -> AsyncIterator[list[TaskRepository]]:
    """All opened at once, as when a database is new and every replica starts."""
    async with AsyncExitStack() as stack:
        url = stack.enter_context(database(nx27017))
        stores: list[TaskRepository] = [await stack.enter_async_context(mongo.open_store(url)) for _ in range(REPLICAS)]
        await asyncio.gather(*(until_usable(store) for store in stores))
        yield stores


async def test_one_request_at_all_replicas_makes_one_task(replicas: list[TaskRepository]) -> None:
    answers = await asyncio.gather(
        *(store.insert(creation(new_task(), "key")) for _ in range(10) for store in replicas)
    )

    assert sum(answer.is_new for answer in answers) == 1
    assert len({answer.task.id for answer in answers}) == 1


async def test_no_change_of_one_replica_is_lost_to_another(replicas: list[TaskRepository]) -> None:
    task = new_task(title="0")
    await replicas[0].insert(creation(task))

    def count_up(found: Task) -> tuple[Task, OutboxEntry]:
        new = written(found, title=str(int(found.fields.title) + 1))
        return new, pending(new)

    await asyncio.gather(*(store.change("ann", task.id, count_up) for _ in range(10) for store in replicas))

    assert (await replicas[0].get("ann", task.id)).fields.title == str(10 * REPLICAS)


async def test_an_event_is_confirmed_once_and_marked_by_anybody(replicas: list[TaskRepository]) -> None:
    created = creation(new_task())
    await replicas[0].insert(created)
    await replicas[1].mark_published([PublishMark(created.event.id, "1-1", START)])

    (event,) = await replicas[2].pending(START, 10)
    cleared = await asyncio.gather(*(store.confirmed([created.event.id]) for store in replicas))

    assert (event.id, event.entry_id) == (created.event.id, "1-1")
    assert sum(cleared) == 1
