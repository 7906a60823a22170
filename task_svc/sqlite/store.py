"""The SQLite store: tasks, labels and outbox in one file, for one process.

Every commit waits for the disk (`synchronous=FULL`), so a completed write survives a power failure. Only one process
can open a file: several replicas need MongoDB.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import datetime
from pathlib import Path

from task_svc.domain import Task, not_found
from task_svc.outbox import Backlog, EventId, OutboxEntry, PublishMark
from task_svc.repository import (
    Change,
    Changed,
    Created,
    Creation,
    Cursor,
    Filter,
    Order,
    Page,
    StoreUnusable,
    microseconds,
)
from task_svc.sqlite import outbox, schema, text_migration
from task_svc.sqlite.listing import list_tasks
from task_svc.sqlite.rows import TASK_COLUMNS, task_values, to_task, write_labels
from task_svc.sqlite.threads import Readers, Writer
from task_svc.sqlite.write_ahead_log import LIMIT_BYTES, WriteAheadLog

_SELECT = f"SELECT {TASK_COLUMNS}, fingerprint FROM tasks"  # noqa: S608 (our own names)
_SCAN_THREADS = 2


@asynccontextmanager
async def open_store(path: Path) -> AsyncIterator["SqliteTaskRepository"]:
    """Open the store, and create the file and the tables if they do not exist.

    Raises StoreUnusable if the file cannot be opened, another process has it open, or a newer version wrote it.
    """
    with _locked(path):
        await asyncio.to_thread(_prepare, path)
        writer = Writer(lambda: _connect(path), WriteAheadLog(path).limit)
        lookups = Readers(lambda: _connect(path, read_only=True), 1)  # several threads would only compete for the GIL
        scans = Readers(lambda: _connect(path, read_only=True), _SCAN_THREADS)
        try:
            yield SqliteTaskRepository(writer, lookups, scans)
        finally:
            await writer.close()
            await lookups.close()
            await scans.close()


class SqliteTaskRepository:
    """The adapter of `TaskRepository` for SQLite. Lookups have their own thread, and never wait for scans."""

    def __init__(self, writer: Writer, lookups: Readers, scans: Readers) -> None:
        self._writer = writer
        self._lookups = lookups
        self._scans = scans

    async def insert(self, creation: Creation) -> Created:
        """See `TaskRepository.insert`."""
        return await self._writer.do(lambda connection: _insert(connection, creation))

    async def get(self, owner: str, task_id: str) -> Task:
        """See `TaskRepository.get`."""
        return await self._lookups.do(lambda connection: _get(connection, owner, task_id))

    async def change(self, owner: str, task_id: str, change: Change) -> Changed:
        """See `TaskRepository.change`."""
        return await self._writer.do(lambda connection: _change(connection, owner, task_id, change))

    async def list(self, owner: str, criteria: Filter, order: Order, after: Cursor | None, limit: int) -> Page:
        """See `TaskRepository.list`."""
        return await self._scans.do(lambda connection: list_tasks(connection, owner, criteria, order, after, limit))

    async def to_remind(self, until: datetime, limit: int) -> Sequence[tuple[str, str]]:
        """See `TaskRepository.to_remind`."""
        return await self._scans.do(lambda connection: _to_remind(connection, until, limit))

    async def purge(self, deleted_before: datetime, limit: int) -> int:
        """See `TaskRepository.purge`."""
        return await self._writer.do(lambda connection: _purge(connection, deleted_before, limit))

    async def migrate_texts(self, limit: int) -> bool:
        """See `TaskRepository.migrate_texts`."""
        batch = await self._scans.do(lambda connection: text_migration.read(connection, limit))
        if batch is None:
            return False
        await self._writer.do(lambda connection: text_migration.write(connection, batch))
        return batch.last_id is not None

    async def pending(self, now: datetime, limit: int) -> Sequence[OutboxEntry]:
        """See `OutboxStore.pending`."""
        return await self._scans.do(lambda connection: outbox.pending(connection, now, limit))

    async def mark_published(self, marks: Sequence[PublishMark]) -> None:
        """See `OutboxStore.mark_published`."""
        await self._writer.do(lambda connection: outbox.mark_published(connection, marks))

    async def confirmed(self, ids: Sequence[EventId]) -> int:
        """See `OutboxStore.confirmed`."""
        return await self._writer.do(lambda connection: outbox.confirmed(connection, ids))

    async def backlog(self) -> Backlog:
        """See `OutboxStore.backlog`."""
        return await self._scans.do(outbox.backlog)

    async def ping(self) -> None:
        """See `TaskRepository.ping`: writes the header page, as it is."""
        await self._writer.do(lambda connection: connection.execute(f"PRAGMA user_version = {schema.VERSION}"))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Lock the file against other processes. The operating system releases the lock even if this process crashes."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        _lock(lock, path)
        yield
    finally:
        os.close(lock)


def _lock(lock: int, path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        msg = f"another process has {path} open; use MongoDB for several replicas"
        raise StoreUnusable(msg) from None


def _prepare(path: Path) -> None:
    try:
        with closing(_connect(path)) as connection:
            is_known = schema.create(connection)
    except sqlite3.Error as error:
        raise _unusable(path, error) from error
    if not is_known:
        msg = f"a newer version of the task service wrote {path}; use that version"
        raise StoreUnusable(msg)


def _unusable(path: Path, error: Exception) -> StoreUnusable:
    return StoreUnusable(f"cannot open the store {path}: {error}")


def _connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=2)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {LIMIT_BYTES}")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    return connection


def _insert(connection: sqlite3.Connection, creation: Creation) -> Created:
    task = creation.task
    values = {**task_values(task), "request_id": creation.request_id, "fingerprint": creation.fingerprint}
    inserted = connection.execute(
        f"INSERT INTO tasks ({', '.join(values)}) VALUES ({', '.join(f':{name}' for name in values)}) "  # noqa: S608
        "ON CONFLICT (owner, request_id) DO NOTHING",
        values,
    )
    if inserted.rowcount == 0:
        row = connection.execute(
            f"{_SELECT} WHERE owner = ? AND request_id = ?", (task.owner, creation.request_id)
        ).fetchone()
        return Created(to_task(row), row["fingerprint"], is_new=False)
    write_labels(connection, task, values)
    outbox.put(connection, creation.event)
    return Created(task, creation.fingerprint, is_new=True)


def _get(connection: sqlite3.Connection, owner: str, task_id: str) -> Task:
    row = connection.execute(f"{_SELECT} WHERE id = ? AND owner = ?", (task_id, owner)).fetchone()
    if row is None:
        raise not_found(task_id)
    return to_task(row)


def _change(connection: sqlite3.Connection, owner: str, task_id: str, change: Change) -> Changed:
    changed = change(task := _get(connection, owner, task_id))
    if changed is None:
        return Changed(task, None)
    task, event = changed
    values = task_values(task)
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    connection.execute(f"UPDATE tasks SET {assignments} WHERE id = :id", values)  # noqa: S608 (our own names)
    write_labels(connection, task, values)
    outbox.put(connection, event)
    return Changed(task, event)


def _to_remind(connection: sqlite3.Connection, until: datetime, limit: int) -> list[tuple[str, str]]:
    rows = connection.execute(
        "SELECT owner, id FROM tasks WHERE to_remind_of <= ? ORDER BY to_remind_of LIMIT ?",
        (microseconds(until), limit),
    )
    return [(row["owner"], row["id"]) for row in rows]


def _purge(connection: sqlite3.Connection, deleted_before: datetime, limit: int) -> int:
    rows = connection.execute(
        "SELECT id FROM tasks WHERE deleted = 1 AND delete_time < ? "
        "AND NOT EXISTS (SELECT 1 FROM outbox WHERE task_id = tasks.id) ORDER BY delete_time LIMIT ?",
        (microseconds(deleted_before), limit),
    ).fetchall()
    ids = [(row["id"],) for row in rows]
    connection.executemany("DELETE FROM task_labels WHERE task_id = ?", ids)
    connection.executemany("DELETE FROM tasks WHERE id = ?", ids)
    return len(ids)
