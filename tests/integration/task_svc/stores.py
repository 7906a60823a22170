"""The stores for the contract suite.

Always SQLite, the in-memory SQLite store of the simulation, and nx-27017; also a mongod if MONGODB_TEST_URL is set.
"""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from chassis.errors import Unavailable
from task_svc.mongo import store as mongo
from task_svc.repository import TaskRepository
from task_svc.sqlite import store as sqlite
from tests.simulation.memory_store import memory_store
from tests.support.eventually import eventually
from tests.support.task_svc.mongo import MongoServer, database

MONGOD = os.environ.get("MONGODB_TEST_URL")
MONGO_SERVERS = ["nx-27017", *(["mongod"] if MONGOD else [])]
STORES = ["sqlite", "memory", *MONGO_SERVERS]

OpenStore = Callable[[Path], AbstractAsyncContextManager[TaskRepository]]
"""Opens a new, empty store until the end of the block, with its files in the directory."""


def opener(name: str, request: pytest.FixtureRequest) -> OpenStore:
    """Return the function that opens the store with this name in STORES."""
    if name in ("sqlite", "memory"):
        return _sqlite if name == "sqlite" else _memory
    return partial(_mongodb, mongo_server_of(name, request))


def mongo_server_of(name: str, request: pytest.FixtureRequest) -> MongoServer:
    """Return the server with this name in MONGO_SERVERS."""
    if name == "mongod" and MONGOD:
        return MongoServer(MONGOD)
    nx: MongoServer = request.getfixturevalue("nx27017")
    return nx


@asynccontextmanager
async def _sqlite(directory: Path) -> AsyncIterator[TaskRepository]:
    async with sqlite.open_store(directory / "tasks.db") as store:
        yield store


@asynccontextmanager
async def _memory(_directory: Path) -> AsyncIterator[TaskRepository]:
    with memory_store() as (store, _):
        yield store


@asynccontextmanager
async def _mongodb(server: MongoServer, _directory: Path) -> AsyncIterator[TaskRepository]:
    with database(server) as url:
        async with mongo.open_store(url) as store:
            await until_usable(store)
            yield store


async def until_usable(store: TaskRepository, *, within: float = 30) -> None:
    """Wait until a store is available; raise TimeoutError after `within` seconds."""

    async def is_usable() -> bool:
        try:
            await store.ping()
        except Unavailable:
            return False
        return True

    await eventually(is_usable, within=within)
