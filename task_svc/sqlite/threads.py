"""The threads that work on the SQLite file: one that writes, and a few that read.

The writer takes all the work that is waiting, does it in one transaction and answers when that is on the disk: under
load one fsync serves many writes. Readers see what was committed and never wait for the writer.
"""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
_READERS = 4
_DEFAULT_SECONDS = 30.0
_STEPS_BETWEEN_CLOCK_LOOKS = 10_000


def _unavailable(error: sqlite3.Error) -> Unavailable:
    _log.warning("operation failed", error=f"{type(error).__name__}: {error}")
    return unavailable()


@dataclass(slots=True)
class _Job:
    work: Work[Any]
    deadline: float
    answer: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None

    def resolve(self) -> None:
        """Gives the answer, unless its asker has gone."""
        if self.answer.done():
            return
        if self.error is not None:
            self.answer.set_exception(self.error)
        else:
            self.answer.set_result(self.result)


class Writer:
    """Does all writing, in the order it was asked for, on a connection in autocommit mode."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._jobs: queue.Queue[_Job | None] = queue.Queue(_QUEUE_MAX)
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def do(self, work: Work[T]) -> T:
        """Runs `work` inside a transaction and returns its result when that is durable.

        Work that raises leaves nothing behind and does not touch its neighbours in the group. Work whose asker has
        gone, or whose deadline has passed before its turn, is not begun. Raises Unavailable when too much is waiting.
        """
        answer: asyncio.Future[T] = self._loop.create_future()
        try:
            self._jobs.put_nowait(_Job(work, deadlines.at(_DEFAULT_SECONDS), answer))
        except queue.Full:
            raise Unavailable("STORE_BUSY", "Too many writes are waiting; try again.") from None
        return await answer

    async def close(self) -> None:
        """Ends the thread when all that was asked for is done."""
        await asyncio.to_thread(self._jobs.put, None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        connection = self._connect()
        open_for_work = True
        while open_for_work:
            group, open_for_work = self._next_group()
            self._commit(connection, group)
            self._loop.call_soon_threadsafe(_resolve, group)
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
        if job.answer.cancelled():
            return
        if time.monotonic() > job.deadline:
            job.error = deadline_exceeded()
            return
        connection.execute("SAVEPOINT job")
        try:
            job.result = job.work(connection)
        except Exception as error:
            if not connection.in_transaction:  # the disk is full or failing: the whole group is lost
                raise
            job.error = _unavailable(error) if isinstance(error, sqlite3.Error) else error
            connection.execute("ROLLBACK TO job")
        connection.execute("RELEASE job")


def _resolve(group: list[_Job]) -> None:
    for job in group:
        job.resolve()


class Readers:
    """Runs queries side by side, each thread on a read-only connection of its own."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._threads = ThreadPoolExecutor(_READERS, thread_name_prefix="sqlite-reader", initializer=self._open)
        self._own = threading.local()
        self._connections: list[sqlite3.Connection] = []

    async def do(self, work: Work[T]) -> T:
        """Runs `work` and returns its result; a query is stopped when the request's deadline passes."""
        deadline = deadlines.at(_DEFAULT_SECONDS)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, work, deadline)

    async def close(self) -> None:
        """Ends the threads when their queries are done."""
        await asyncio.to_thread(self._threads.shutdown)
        for connection in self._connections:
            connection.close()

    def _open(self) -> None:
        self._own.connection = self._connect()
        self._connections.append(self._own.connection)

    def _run(self, work: Work[T], until: float) -> T:
        if time.monotonic() > until:
            raise deadline_exceeded()
        connection: sqlite3.Connection = self._own.connection
        connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS_BETWEEN_CLOCK_LOOKS)
        try:
            return work(connection)
        except sqlite3.Error as error:
            if time.monotonic() > until:
                raise deadline_exceeded() from None
            raise _unavailable(error) from error
