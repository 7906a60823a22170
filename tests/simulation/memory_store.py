"""The SQLite store in memory and without threads: each call runs synchronously.

It runs the SQL of `task_svc.sqlite.store`, and passes the contract suite.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from typing import TypeVar, cast

from chassis.grpc_api import deadlines
from task_svc.repository import deadline_exceeded
from task_svc.sqlite import schema
from task_svc.sqlite.store import SqliteTaskRepository
from task_svc.sqlite.threads import Readers, Work, Writer

T = TypeVar("T")


class _Inline:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def do(self, work: Work[T]) -> T:
        if time.monotonic() > deadlines.at(1):
            raise deadline_exceeded()
        self._connection.execute("BEGIN")
        try:
            result = work(self._connection)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        return result


@cache
def _empty() -> bytes:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        schema.create(connection)
        return connection.serialize()


@contextmanager
def memory_store() -> Iterator[tuple[SqliteTaskRepository, sqlite3.Connection]]:
    """Yield a store and its connection, through which tests read the tables; discard both at the end of the block."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.deserialize(_empty())
        inline = _Inline(connection)
        yield SqliteTaskRepository(cast(Writer, inline), cast(Readers, inline), cast(Readers, inline)), connection
