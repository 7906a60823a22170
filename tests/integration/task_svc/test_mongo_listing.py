"""Listings on MongoDB with a scan limit of six tasks, so that nearly all pages are truncated."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from task_svc import domain
from task_svc.domain import Priority, Status, Task
from task_svc.mongo import listing
from task_svc.mongo import store as mongo
from task_svc.outbox import Slot
from task_svc.repository import Filter, Order, SortKey, TaskRepository
from tests.integration.task_svc.stores import until_usable
from tests.integration.task_svc.test_task_repository import listed, passes
from tests.support.task_svc.mongo import MongoServer, database
from tests.support.task_svc.tasks import START, creation, new_task, pending

EVERY_ORDER = [Order(key, descending) for key in SortKey for descending in (False, True)]


@pytest.fixture
async def store(mongo_server: MongoServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TaskRepository]:
    monkeypatch.setattr(listing, "SCAN_MAX", 6)
    with database(mongo_server) as url:
        async with mongo.open_store(url) as opened:
            await until_usable(opened)
            yield opened


@pytest.fixture
async def tasks(store: TaskRepository) -> list[Task]:
    """24 tasks with many equal values; some are deleted."""
    made = []
    for n in range(24):
        task = new_task(
            at=START + timedelta(seconds=n // 5),
            title=f"Task {n}",
            status=list(Status)[n % 3],
            priority=list(Priority)[n % 2],
            labels=("a",) if n % 4 else ("a", "b"),
            due_time=START + timedelta(days=n % 5) if n % 3 else None,
        )
        await store.insert(creation(task))
        if n % 5 in (1, 2):
            changed = await store.change(
                "ann", task.id, lambda found: (new := domain.delete(found, "", START), pending(new, Slot.CHANGED))
            )
            task = changed.task
        made.append(task)
    return made


@pytest.mark.parametrize(
    "criteria",
    [
        Filter(text="task 1"),
        Filter(statuses=frozenset({Status.TODO, Status.DONE})),
        Filter(labels=("a", "b")),
        Filter(labels=("b",), priorities=frozenset({Priority.MEDIUM})),
        Filter(text="nowhere"),
    ],
    ids=str,
)
async def test_truncated_pages_contain_each_task_once_in_every_order(
    store: TaskRepository, tasks: list[Task], criteria: Filter
) -> None:
    for shown in (criteria, replace(criteria, show_deleted=True)):
        for order in EVERY_ORDER:
            expected = sorted(
                (task for task in tasks if passes(task, shown) and (shown.show_deleted or task.delete_time is None)),
                key=lambda task: (order.value(task), task.id),
                reverse=order.descending,
            )
            assert await listed(store, shown, order) == expected
