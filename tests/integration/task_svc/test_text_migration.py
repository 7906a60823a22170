"""The texts that an earlier release stored are migrated while the service runs."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pymongo
import pytest

from task_svc import domain
from task_svc.jobs import keep_migrating_texts
from task_svc.mongo import documents
from task_svc.mongo import store as mongo
from task_svc.repository import Filter, Order, TaskRepository
from task_svc.sqlite import rows
from task_svc.sqlite import store as sqlite
from task_svc.sqlite.store import SqliteTaskRepository
from task_svc.text import folded
from tests.integration.task_svc.stores import OpenStore, until_usable
from tests.support.eventually import eventually
from tests.support.task_svc.mongo import MongoServer, database
from tests.support.task_svc.tasks import creation, new_task, pending, written

COMPOSED, DECOMPOSED = "Caf\u00e9", "Cafe\u0301"
STORED = Path(__file__).parent / "stored"


@pytest.fixture
async def store(open_store: OpenStore, tmp_path: Path) -> AsyncIterator[TaskRepository]:
    async with open_store(tmp_path) as opened:
        yield opened


@contextmanager
def earlier_release() -> Iterator[None]:
    """Write search texts without folding marks, and labels in any form."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(domain, "nfc", lambda label: label)
        for module in (rows, documents):
            patch.setattr(module, "searchable", lambda fields: f"{fields.title}\n{fields.description}".casefold())
        yield


async def add_earlier(store: TaskRepository, number: int) -> list[domain.Task]:
    """Store tasks as an earlier release did, those of two users alternately."""
    with earlier_release():
        tasks = [
            new_task("ann" if each % 2 else "bob", title=COMPOSED, labels=(DECOMPOSED, COMPOSED, "home"))
            for each in range(number)
        ]
        for task in tasks:
            await store.insert(creation(task))
    if isinstance(store, SqliteTaskRepository):  # its file was not created by an earlier release
        await store._writer.do(lambda connection: connection.execute("INSERT INTO text_migration VALUES ('')"))
    return tasks


async def found(store: TaskRepository, criteria: Filter) -> set[str]:
    pages = [await store.list(owner, criteria, Order(), None, 100) for owner in ("ann", "bob")]
    return {task.id for page in pages for task in page.tasks}


async def run_a_pass(store: TaskRepository) -> None:
    while await store.migrate_texts(2):
        pass


async def test_tasks_of_an_earlier_release_are_found_after_the_migration(store: TaskRepository) -> None:
    earlier = await add_earlier(store, 7)
    await store.insert(creation(later := new_task(title=COMPOSED, labels=(COMPOSED,))))
    assert await found(store, Filter(text=folded(COMPOSED))) == {later.id}

    await run_a_pass(store)

    everything = {later.id, *(task.id for task in earlier)}
    assert await found(store, Filter(text="cafe")) == everything
    assert await found(store, Filter(labels=(COMPOSED,))) == everything
    assert await found(store, Filter(labels=("home", COMPOSED))) == everything - {later.id}
    for task in earlier:
        fields = replace(task.fields, labels=(COMPOSED, "home"))
        assert await store.get(task.owner, task.id) == replace(task, fields=fields), "also its revision is as before"


async def test_a_change_during_the_migration_is_not_undone(store: TaskRepository) -> None:
    tasks = await add_earlier(store, 12)
    changes = [
        store.change(task.owner, task.id, lambda found: ((new := written(found, title="Thé", labels=())), pending(new)))
        for task in tasks
    ]

    await asyncio.gather(run_a_pass(store), *changes)

    assert len(await found(store, Filter(text="the"))) == 12
    assert await found(store, Filter(text="cafe")) == await found(store, Filter(labels=(COMPOSED,))) == set()


async def test_a_task_with_a_label_in_two_forms_can_be_changed_before_the_migration(store: TaskRepository) -> None:
    (task,) = await add_earlier(store, 1)
    read = await store.get(task.owner, task.id)

    done = domain.update(read, replace(read.fields, labels=(*read.fields.labels, "new")), "", read.update_time)

    await store.change(task.owner, task.id, lambda _: (done, pending(done)))
    assert (await store.get(task.owner, task.id)).fields.labels == (COMPOSED, "home", "new")


async def test_a_file_of_an_earlier_release_is_migrated_once_across_restarts(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    async with sqlite.open_store(path) as store:
        tasks = await add_earlier(store, 7)
        await store.migrate_texts(3)
        assert len(await found(store, Filter(text="cafe"))) == 3
    async with sqlite.open_store(path) as store:
        await run_a_pass(store)
        assert len(await found(store, Filter(text="cafe"))) == 7
    async with sqlite.open_store(path) as store:
        with earlier_release():
            earlier = written(tasks[0], title=COMPOSED)
            await store.change(earlier.owner, earlier.id, lambda _: (earlier, pending(earlier)))
        assert not await store.migrate_texts(3)
        assert len(await found(store, Filter(text="cafe"))) == 6, "the migration does not run again"


@pytest.mark.parametrize("name", sorted(path.name for path in STORED.glob("*.sql")))
async def test_only_a_file_of_an_earlier_release_needs_the_migration(name: str, tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((STORED / name).read_text())
    async with sqlite.open_store(path) as store:
        assert await store.migrate_texts(1) == (name in ("sqlite-1.sql", "sqlite-2.sql"))


async def test_replicas_migrate_what_an_earlier_release_writes_during_a_rolling_update(
    mongo_server: MongoServer,
) -> None:
    with database(mongo_server) as url, pymongo.MongoClient[dict[str, object]](url) as client:
        markers = client.get_default_database()["migrations"]
        async with mongo.open_store(url) as store, mongo.open_store(url) as other:
            await asyncio.gather(until_usable(store), until_usable(other))
            first = await add_earlier(store, 5)
            await asyncio.gather(run_a_pass(store), run_a_pass(other))
            assert len(await found(store, Filter(text="cafe"))) == 5

            with earlier_release():
                earlier = written(first[0], title=COMPOSED)
                await store.change(earlier.owner, earlier.id, lambda _: (earlier, pending(earlier)))
            await add_earlier(store, 2)
            await run_a_pass(store)
            assert len(await found(store, Filter(text="cafe"))) == 7
            assert markers.count_documents({}) == 0, "a pass that wrote does not end the migration"

            await run_a_pass(store)
            await run_a_pass(other)
            assert markers.count_documents({}) == 1
        async with mongo.open_store(url) as store:
            await until_usable(store)
            await add_earlier(store, 1)
            await run_a_pass(store)
            assert len(await found(store, Filter(text="cafe"))) == 7, "the migration does not run again"


async def test_the_job_migrates_all_tasks(store: TaskRepository) -> None:
    await add_earlier(store, 5)
    job = asyncio.create_task(keep_migrating_texts(store))

    async def are_all_found() -> bool:
        return len(await found(store, Filter(text="cafe"))) == 5

    await eventually(are_all_found)
    job.cancel()
    with suppress(asyncio.CancelledError):
        await job
