"""The MongoDB store, through Motor: one document for each task and its outbox, for any number of replicas.

Writes use optimistic concurrency: an update matches the revision that it read, and is retried if another process
changed the document. A write returns when a majority has it on disk, so it survives a power failure and a failover. So
does a repeated write that has no effect.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pymongo
import structlog
from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo.errors import DuplicateKeyError, PyMongoError

from chassis import background_jobs
from task_svc.domain import Task, not_found
from task_svc.mongo import indexes, outbox
from task_svc.mongo.client import DURABLE, collection_of, new_client, reason_of
from task_svc.mongo.documents import READABLE, Document, reminder_fields, task_fields, to_document, to_slot, to_task
from task_svc.mongo.guard import MongoGuard
from task_svc.mongo.listing import list_tasks
from task_svc.mongo.text_migration import TextMigration
from task_svc.outbox import Backlog, EventId, OutboxEntry, PublishMark
from task_svc.repository import Change, Changed, Created, Creation, Cursor, Filter, Order, Page, microseconds

_log = structlog.get_logger("store")

_SELECT_SECONDS = 3.0
_INDEX_SECONDS = 600.0
_PAUSE_SECONDS = 1.0

Collection = AsyncIOMotorCollection[Document]


@asynccontextmanager
async def open_store(url: str, password_file: Path | None = None) -> AsyncIterator["MongoTaskRepository"]:
    """Open the store, even while it is unavailable. Its methods raise Unavailable until it has its indexes.

    Raises StoreUnusable for an invalid URL.
    """
    client = new_client(url, password_file)
    guard, tasks = MongoGuard(client), collection_of(client)
    background = [asyncio.create_task(_make_indexes(tasks, guard)), asyncio.create_task(guard.watch())]
    try:
        yield MongoTaskRepository(guard, tasks)
    finally:
        await background_jobs.end(background)
        await asyncio.to_thread(client.close)


class MongoTaskRepository:
    """The adapter of `TaskRepository` for MongoDB."""

    def __init__(self, guard: MongoGuard, tasks: Collection) -> None:
        self._guard = guard
        self._tasks = tasks
        self._text_migration = TextMigration(tasks)

    async def insert(self, creation: Creation) -> Created:
        """See `TaskRepository.insert`."""
        return await self._guard.do(lambda: _insert(self._tasks, creation))

    async def get(self, owner: str, task_id: str) -> Task:
        """See `TaskRepository.get`."""
        return await self._guard.do(lambda: _get(self._tasks, owner, task_id))

    async def change(self, owner: str, task_id: str, change: Change) -> Changed:
        """See `TaskRepository.change`."""
        return await self._guard.do(lambda: _change(self._tasks, owner, task_id, change))

    async def list(self, owner: str, criteria: Filter, order: Order, after: Cursor | None, limit: int) -> Page:
        """See `TaskRepository.list`."""
        return await self._guard.do(lambda: list_tasks(self._tasks, owner, criteria, order, after, limit))

    async def to_remind(self, until: datetime, limit: int) -> Sequence[tuple[str, str]]:
        """See `TaskRepository.to_remind`."""
        return await self._guard.do(lambda: _to_remind(self._tasks, until, limit))

    async def purge(self, deleted_before: datetime, limit: int) -> int:
        """See `TaskRepository.purge`."""
        return await self._guard.do(lambda: _purge(self._tasks, deleted_before, limit))

    async def migrate_texts(self, limit: int) -> bool:
        """See `TaskRepository.migrate_texts`."""
        return await self._guard.do(lambda: self._text_migration.step(limit))

    async def pending(self, now: datetime, limit: int) -> Sequence[OutboxEntry]:
        """See `OutboxStore.pending`."""
        return await self._guard.do(lambda: outbox.pending(self._tasks, now, limit))

    async def mark_published(self, marks: Sequence[PublishMark]) -> None:
        """See `OutboxStore.mark_published`."""
        await self._guard.do(lambda: outbox.mark_published(self._tasks, marks))

    async def confirmed(self, ids: Sequence[EventId]) -> int:
        """See `OutboxStore.confirmed`."""
        return await self._guard.do(lambda: outbox.confirmed(self._tasks, ids))

    async def backlog(self) -> Backlog:
        """See `OutboxStore.backlog`."""
        return await self._guard.do(lambda: outbox.backlog(self._tasks))

    async def ping(self) -> None:
        """See `TaskRepository.ping`: a write without an effect, which waits for a majority as all writes do."""
        await self._guard.do(lambda: self._tasks.update_one({"_id": ""}, {"$set": {"revision": 0}}))


async def _make_indexes(tasks: Collection, guard: MongoGuard) -> None:
    logged = ""
    while True:
        try:
            # In a timeout, the driver waits for a server until the timeout passes. Only building indexes may take long.
            with pymongo.timeout(_SELECT_SECONDS):
                await tasks.database.command("ping")
            with pymongo.timeout(_INDEX_SECONDS):
                await tasks.create_indexes(indexes.ALL)
        except PyMongoError as error:
            if (reason := reason_of(error)) != logged:
                _log.warning("store not available yet", error=reason)
                logged = reason
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            guard.open()
            return


async def _insert(tasks: Collection, creation: Creation) -> Created:
    owner, request_id = creation.task.owner, creation.request_id
    try:
        await tasks.insert_one(to_document(creation))
    except DuplicateKeyError:
        # The server reports a duplicate only after a majority has the existing task.
        found = await tasks.with_options(read_concern=DURABLE).find_one({"owner": owner, "request_id": request_id})
        if found is None:  # the task was purged or rolled back just now; a retry creates a new one
            raise
        return Created(to_task(found), found["fingerprint"], is_new=False)
    return Created(creation.task, creation.fingerprint, is_new=True)


async def _get(tasks: Collection, owner: str, task_id: str) -> Task:
    found = await tasks.find_one({"_id": task_id, "owner": owner})
    if found is None:
        raise not_found(task_id)
    return to_task(found)


async def _change(tasks: Collection, owner: str, task_id: str, change: Change) -> Changed:
    while True:
        before = await _get(tasks, owner, task_id)
        task, event = change(before) or (before, None)
        if event is not None:
            fields = {**task_fields(task), f"outbox.{event.id.slot}": to_slot(event)}
        else:
            # A failover may roll back what was read. The server acknowledges a write that changes nothing after a
            # majority has everything that precedes it, like every other write.
            fields = {"revision": before.revision}
        unchanged = {"_id": task_id, "revision": before.revision, **reminder_fields(before)}
        written = await tasks.update_one(unchanged, {"$set": fields})
        if written.matched_count:
            return Changed(task, event)


async def _to_remind(tasks: Collection, until: datetime, limit: int) -> list[tuple[str, str]]:
    due = {"to_remind_of": {"$lte": microseconds(until)}, **READABLE}
    found = tasks.find(due, {"owner": 1}, sort=[("to_remind_of", pymongo.ASCENDING)], limit=limit)
    return [(document["owner"], document["_id"]) for document in await found.batch_size(limit + 1).to_list(limit)]


async def _purge(tasks: Collection, deleted_before: datetime, limit: int) -> int:
    over = {"deleted": True, "delete_time": {"$lt": microseconds(deleted_before)}, **outbox.EMPTY}
    found = tasks.find(over, {"_id": 1}, sort=[("delete_time", pymongo.ASCENDING)], limit=limit)
    ids = [document["_id"] for document in await found.to_list(limit)]
    if not ids:
        return 0
    return int((await tasks.delete_many({"_id": {"$in": ids}, **over})).deleted_count)
