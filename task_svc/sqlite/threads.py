"""The threads that access the SQLite file: one writer and several readers.

The writer executes all waiting jobs (at most 200) in one transaction, and returns their results when it is on disk:
under load, one fsync serves many writes. Readers see committed data and never wait for the writer.
"""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from chassis.errors import Unavailable
from chassis.grpc_api import deadlines
from task_svc.repository import deadline_exceeded, unavailable

_log = structlog.get_logger("store")

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

_QUEUE_MAX = 10_000
_GROUP_MAX = 200
_DEFAULT_SECONDS = 30.0
_STEPS_BETWEEN_DEADLINE_CHECKS = 10_000


def _unavailable(error: sqlite3.Error) -> Unavailable:
    _log.warning("operation failed", error=f"{type(error).__name__}: {error}")
    return unavailable()


@dataclass(slots=True)
class _Job:
    work: Work[Any]
    deadline: float
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None

    def resolve(self) -> None:
        """Set the result or error of the future, unless the caller has cancelled it."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Writer:
    """Executes all writes, in the order of the calls, on one connection in autocommit mode.

    `after_commit` runs in the same thread after each transaction, when the callers have their results.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], after_commit: Work[None] = lambda _: None) -> None:
        self._connect = connect
        self._after_commit = after_commit
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def do(self, work: Work[T]) -> T:
        """Run `work` in a transaction, and return its result when the transaction is durable.

        If `work` raises, its changes are rolled back, but not the other work in the transaction. Work does not start
        if its caller was cancelled or its deadline has passed. Raises Unavailable if the queue of writes is full.
        """
        if self._jobs.qsize() >= _QUEUE_MAX:
            raise Unavailable("STORE_BUSY", "Too many writes are waiting; try again.")
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Job(work, deadlines.at(_DEFAULT_SECONDS), future))
        return await future

    async def close(self) -> None:
        """Wait until all queued work is done, and end the thread."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        connection = self._connect()
        open_for_work = True
        while open_for_work:
            group, open_for_work = self._next_group()
            self._commit(connection, group)
            self._loop.call_soon_threadsafe(_resolve, group)
            self._after_commit(connection)
        connection.close()

    def _next_group(self) -> tuple[list[_Job], bool]:
        group: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            group.append(job)
            if len(group) == _GROUP_MAX:
                return group, True
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return group, True
        return group, False

    def _commit(self, connection: sqlite3.Connection, group: list[_Job]) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            for job in group:
                self._attempt(connection, job)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            failure = _unavailable(error)
            for job in group:
                job.error = failure

    def _attempt(self, connection: sqlite3.Connection, job: _Job) -> None:
        if job.future.cancelled():
            return
        if time.monotonic() > job.deadline:
            job.error = deadline_exceeded()
            return
        connection.execute("SAVEPOINT job")
        try:
            job.result = job.work(connection)
        except Exception as error:
            if not connection.in_transaction:  # SQLite rolled back (full or failing disk), so the whole group fails
                raise
            job.error = _unavailable(error) if isinstance(error, sqlite3.Error) else error
            connection.execute("ROLLBACK TO job")
        connection.execute("RELEASE job")


def _resolve(group: list[_Job]) -> None:
    for job in group:
        job.resolve()


class Readers:
    """Runs queries in `threads` threads, each on its own read-only connection."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], threads: int) -> None:
        self._connect = connect
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._threads = [threading.Thread(target=self._run, name="sqlite-reader", daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    async def do(self, work: Work[T]) -> T:
        """Run `work` and return its result. A query stops when the request's deadline passes."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Job(work, deadlines.at(_DEFAULT_SECONDS), future))
        return await future

    async def close(self) -> None:
        """Wait until all queries are done, and end the threads."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _run(self) -> None:
        connection: sqlite3.Connection | None = None
        while (job := self._jobs.get()) is not None:
            try:
                connection = connection or self._connect()
                job.result = _read(connection, job)
            except Exception as error:
                job.error = error
            self._loop.call_soon_threadsafe(job.resolve)
        if connection is not None:
            connection.close()


def _read(connection: sqlite3.Connection, job: _Job) -> Any:
    until = job.deadline
    if time.monotonic() > until:
        raise deadline_exceeded()
    connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS_BETWEEN_DEADLINE_CHECKS)
    try:
        return job.work(connection)
    except sqlite3.Error as error:
        if time.monotonic() > until:
            raise deadline_exceeded() from None
        raise _unavailable(error) from error
