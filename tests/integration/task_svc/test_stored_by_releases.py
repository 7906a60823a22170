"""Later releases read the stores of earlier ones: `stored/` has a store for each schema version."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pymongo
import pytest
from bson import json_util

from chassis.errors import Unavailable
from task_svc.domain import Priority, Status, Task, TaskFields
from task_svc.mongo import store as mongo
from task_svc.mongo.documents import SCHEMA_VERSION, to_document
from task_svc.repository import Creation, Filter, Order, TaskRepository
from task_svc.sqlite import schema
from task_svc.sqlite import store as sqlite
from tests.integration.task_svc.stores import until_usable
from tests.support.task_svc.mongo import MongoServer, database
from tests.support.task_svc.tasks import FIELDS, another, creation, pending, written

STORED = Path(__file__).parent / "stored"
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
TASK = Task(
    id="01JD0000000000000000000000",
    owner="ann",
    fields=TaskFields(
        title="Buy milk 🥛",
        description="two litres",
        status=Status.IN_PROGRESS,
        priority=Priority.HIGH,
        labels=("home", "shop"),
        due_time=NOW + timedelta(days=1),
    ),
    create_time=NOW,
    update_time=NOW + timedelta(seconds=1),
    revision=2,
    to_remind_of=NOW + timedelta(days=1),
)
# TASK with a value for each field that was added later.
ALL = replace(
    TASK,
    fields=replace(
        TASK.fields, **{name: another(name)[name] for name in FIELDS if getattr(TASK.fields, name) in (None, "", ())}
    ),
)


def known_to(names: set[str]) -> Task:
    """Return the task with only these fields, as an older release stored it."""
    content = {each: getattr(ALL.fields, each) for each in FIELDS if each in names}
    own = {each.name: getattr(ALL, each.name) for each in fields(Task) if each.name in names}
    return Task(fields=TaskFields(**content), **own)


def stored(name: str) -> str:
    return (STORED / name).read_text()


@asynccontextmanager
async def sqlite_store(dump: str, directory: Path) -> AsyncIterator[TaskRepository]:
    path = directory / "tasks.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump)
    async with sqlite.open_store(path) as store:
        yield store


@asynccontextmanager
async def mongo_store(document: str, server: MongoServer) -> AsyncIterator[TaskRepository]:
    with database(server) as url:
        with pymongo.MongoClient[dict[str, object]](url) as client:
            client.get_default_database()["tasks"].insert_one(json_util.loads(document))
        async with mongo.open_store(url) as store:
            await until_usable(store)
            yield store


async def is_read_and_written(store: TaskRepository, task: Task) -> None:
    assert await store.get("ann", task.id) == task
    page = await store.list("ann", Filter(labels=("shop",), text="milk"), Order(), None, 10)
    assert list(page.tasks) == [task]

    repeat = await store.insert(creation(replace(task, id="01JD0000000000000000000001"), "key"))
    assert (repeat.is_new, repeat.task, repeat.fingerprint) == (False, task, b"fingerprint")

    changed = written(task, title="Buy bread")
    await store.change("ann", task.id, lambda _: (changed, pending(changed)))
    assert await store.get("ann", task.id) == changed


@pytest.mark.parametrize("name", sorted(path.name for path in STORED.glob("*.sql")))
async def test_a_file_of_sqlite(name: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(stored(name))
        task = known_to({column for _, column, *_ in connection.execute("PRAGMA table_info(tasks)")})
    async with sqlite_store(stored(name), tmp_path) as store:
        assert len(await store.pending(NOW + timedelta(days=1), 10)) == 1
        await is_read_and_written(store, task)
    async with sqlite.open_store(tmp_path / "tasks.db") as again:
        assert (await again.get("ann", task.id)).fields.title == "Buy bread"


@pytest.mark.parametrize("name", sorted(path.name for path in STORED.glob("*.json")))
async def test_a_document_of_mongodb(name: str, mongo_server: MongoServer) -> None:
    async with mongo_store(stored(name), mongo_server) as store:
        assert len(await store.pending(NOW + timedelta(days=1), 10)) == 1
        await is_read_and_written(store, known_to({"id", *json.loads(stored(name))}))


async def test_a_document_of_a_newer_release_is_unavailable(mongo_server: MongoServer) -> None:
    newer = json.dumps({**json.loads(stored("mongo-1.json")), "schema_version": SCHEMA_VERSION + 1})
    async with mongo_store(newer, mongo_server) as store:
        attempts = (
            store.get("ann", TASK.id),
            store.list("ann", Filter(), Order(), None, 10),  # a page without the task would mean that it is deleted
            store.change("ann", TASK.id, lambda _: None),
        )
        for attempt in attempts:
            with pytest.raises(Unavailable, match="newer release"):
                await attempt
        assert await store.to_remind(NOW + timedelta(days=2), 10) == [], "the task would block all other reminders"


async def test_there_is_a_store_of_every_version(tmp_path: Path) -> None:
    new = Creation(ALL, "key", b"fingerprint", pending(ALL))
    async with sqlite.open_store(tmp_path / "tasks.db") as store:
        await store.insert(new)
    with closing(sqlite3.connect(tmp_path / "tasks.db")) as connection:
        dump = [*connection.iterdump(), f"PRAGMA user_version = {schema.VERSION};"]
    document = json_util.dumps(to_document(new), indent=2, ensure_ascii=False)
    today = {f"sqlite-{schema.VERSION}.sql": "\n".join(dump), f"mongo-{SCHEMA_VERSION}.json": document}
    missing = {name: text for name, text in today.items() if not (STORED / name).exists()}
    for name, text in missing.items():
        (STORED / name).write_text(f"{text}\n")
    assert not missing, f"this test has now written {', '.join(missing)} in {STORED}: commit it"
    versions = [f"sqlite-{number}.sql" for number in range(1, schema.VERSION + 1)]
    versions += [f"mongo-{number}.json" for number in range(SCHEMA_VERSION + 1)]
    assert {path.name for path in STORED.iterdir()} == set(versions)
