"""The stores that the contract suite runs on; each gives a fresh, empty one for as long as the block lasts."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from task_svc.repository import TaskRepository
from task_svc.sqlite import open_store

Stores = dict[str, Callable[[Path], AbstractAsyncContextManager[TaskRepository]]]


@asynccontextmanager
async def sqlite(directory: Path) -> AsyncIterator[TaskRepository]:
    """A SQLite file in `directory`."""
    async with open_store(directory / "tasks.db") as store:
        yield store


STORES: Stores = {"sqlite": sqlite}
