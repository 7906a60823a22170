"""The least that a task system in one process costs: FastAPI, SQLite, and one entry in a Valkey stream per create.

One thread writes, each write in a transaction of its own that waits for the disk; four threads read. Nothing consumes
the stream. It has no authentication, no logs and no metrics.
`python -m benchmarks.peers.monolith_minimal PORT DATABASE REDIS_URL`.
"""

import asyncio
import json
import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import uvicorn
from fastapi import FastAPI, HTTPException, Query
from pydantic import BaseModel, Field
from redis.asyncio import Redis
from ulid import ULID

Status = Literal["TODO", "IN_PROGRESS", "DONE"]
Priority = Literal["LOW", "MEDIUM", "HIGH", "URGENT"]
Title = Annotated[str, Field(min_length=1, max_length=200)]


class NewTask(BaseModel):
    """The body of a create."""

    title: Title
    description: str = Field("", max_length=10_000)
    status: Status = "TODO"
    priority: Priority = "MEDIUM"
    labels: list[str] = Field([], max_length=20)
    due_time: datetime | None = None


class TaskPatch(BaseModel):
    """The body of an update: the fields to change."""

    title: Title | None = None
    description: str | None = Field(None, max_length=10_000)
    status: Status | None = None
    priority: Priority | None = None


class Task(BaseModel):
    """A task."""

    id: str
    title: str
    description: str
    status: str
    priority: str
    labels: list[str]
    due_time: datetime | None
    create_time: datetime
    update_time: datetime
    revision: int


class TaskPage(BaseModel):
    """A page of tasks, newest first."""

    tasks: list[Task]
    next_page_token: str


class Store:
    """The tasks in a SQLite file, and the stream of created tasks."""

    def __init__(self, path: str, redis_url: str) -> None:
        self._path = path
        self._redis = Redis.from_url(redis_url)
        self._own = threading.local()
        self._writer, self._readers = ThreadPoolExecutor(1), ThreadPoolExecutor(4)
        columns = ", ".join(f"{name} {'PRIMARY KEY' if name == 'id' else ''}" for name in Task.model_fields)
        self._query(f"CREATE TABLE tasks ({columns})")

    async def create(self, new: NewTask) -> Task:
        """Store a task and add it to the stream."""
        now = datetime.now(UTC)
        task = Task(id=str(ULID()), **new.model_dump(), create_time=now, update_time=now, revision=1)
        values = task.model_dump(mode="json") | {"labels": json.dumps(task.labels)}
        query = f"INSERT INTO tasks VALUES ({', '.join(f':{name}' for name in values)})"  # noqa: S608 (our own names)
        await self._write(query, values)
        await self._redis.xadd("created", {"id": task.id, "title": task.title})
        return task

    async def get(self, id: str) -> Task:
        """Return a task."""
        return _one(await self._read("SELECT * FROM tasks WHERE id = ?", (id,)))

    async def page(self, size: int, token: str) -> TaskPage:
        """Return a page of tasks, of those after `token`."""
        rows = await self._read("SELECT * FROM tasks WHERE id < ? ORDER BY id DESC LIMIT ?", (token or "~", size + 1))
        tasks = [_to_task(row) for row in rows[:size]]
        return TaskPage(tasks=tasks, next_page_token=tasks[-1].id if len(rows) > size else "")

    async def update(self, id: str, patch: TaskPatch) -> Task:
        """Change the fields that are in the patch."""
        values: dict[str, Any] = patch.model_dump(exclude_unset=True) | {"update_time": datetime.now(UTC).isoformat()}
        assignments = ", ".join(f"{name} = :{name}" for name in values)
        query = f"UPDATE tasks SET {assignments}, revision = revision + 1 WHERE id = :id RETURNING *"  # noqa: S608 (our own names)
        return _one(await self._write(query, values | {"id": id}))

    async def _read(self, query: str, values: Any) -> list[sqlite3.Row]:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._query, query, values)

    async def _write(self, query: str, values: Any) -> list[sqlite3.Row]:
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._query, query, values)

    def _query(self, query: str, values: Any = ()) -> list[sqlite3.Row]:
        if not hasattr(self._own, "connection"):
            self._own.connection = sqlite3.connect(self._path, isolation_level=None)
            self._own.connection.row_factory = sqlite3.Row
            self._own.connection.execute("PRAGMA journal_mode = WAL")
            self._own.connection.execute("PRAGMA synchronous = FULL")
        rows: list[sqlite3.Row] = self._own.connection.execute(query, values).fetchall()
        return rows


def _to_task(row: sqlite3.Row) -> Task:
    return Task(**{**row, "labels": json.loads(row["labels"])})


def _one(rows: list[sqlite3.Row]) -> Task:
    if not rows:
        raise HTTPException(404)
    return _to_task(rows[0])


def app(store: Store) -> FastAPI:
    """Return the HTTP application."""
    api = FastAPI()
    api.post("/api/v1/tasks", status_code=201)(store.create)

    @api.get("/api/v1/tasks")
    async def list_tasks(page_size: Annotated[int, Query(ge=1, le=200)] = 50, page_token: str = "") -> TaskPage:
        return await store.page(page_size, page_token)

    api.get("/api/v1/tasks/{id}")(store.get)
    api.patch("/api/v1/tasks/{id}")(store.update)
    return api


if __name__ == "__main__":
    port, path, redis_url = sys.argv[1:]
    served = app(Store(path, redis_url))
    uvicorn.run(served, port=int(port), loop="uvloop", http="httptools", log_level="warning", access_log=False)
