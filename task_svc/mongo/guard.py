"""Guards MongoDB: every operation passes here, so that their number is bounded and each ends at its request's deadline.

While the store is away, operations wait for it briefly, here and not in the driver's threads. If it stays away, all of
them fail with Unavailable, and new ones fail at once. They work again when the driver's monitor finds the store.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pymongo
import structlog
from motor.frameworks.asyncio import max_workers
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import PyMongoError

from chassis.grpc_api import deadlines
from task_svc.mongo.documents import Document
from task_svc.repository import deadline_exceeded, unavailable

_log = structlog.get_logger("store")

# Motor runs each operation in a thread, and has so many; what waits for one must wait where it can be called off.
AT_ONCE = max_workers
_PATIENCE = 0.5
_LOOK_AGAIN = 0.05
_DEFAULT_SECONDS = 30.0
_AT_ONCE_OVER = 0.0

T = TypeVar("T")


class MongoGuard:
    """Lets operations through to the store behind `client`, once it was opened and while it is there."""

    def __init__(self, client: "AsyncIOMotorClient[Document]") -> None:
        self._client = client
        self._is_open = False
        self._last_seen = time.monotonic()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._limits: set[asyncio.Timeout] = set()

    def open(self) -> None:
        """From now on the store may be used: it has its indexes."""
        self._is_open = True

    async def watch(self) -> None:
        """Looks whether the store is there, for ever, and ends all operations while it stays away."""
        while True:
            if self._is_there():
                self._last_seen = time.monotonic()
            elif time.monotonic() > self._last_seen + _PATIENCE:
                for limit in self._limits:
                    if not limit.expired():
                        limit.reschedule(_AT_ONCE_OVER)
            await asyncio.sleep(_LOOK_AGAIN)

    async def do(self, work: Callable[[], Awaitable[T]]) -> T:
        """Runs `work`, which talks to the store, and returns its result.

        Raises Unavailable when the store is away, DeadlineExceeded when the request's deadline passes first. After
        either it is not known whether the work was done.
        """
        until = deadlines.at(_DEFAULT_SECONDS)
        limit = asyncio.timeout(_left(until))
        self._limits.add(limit)
        try:
            async with limit, self._slots:
                while not self._is_there():  # noqa: ASYNC110 (the driver's threads have no event for this loop)
                    await asyncio.sleep(_LOOK_AGAIN)
                # The driver's own limit frees its thread, and makes the server give up, when nobody waits any more.
                with pymongo.timeout(_left(until)):
                    return await work()
        except TimeoutError:
            raise (unavailable() if limit.when() == _AT_ONCE_OVER else deadline_exceeded()) from None
        except PyMongoError as error:
            if time.monotonic() >= until:
                raise deadline_exceeded() from None
            _log.warning("operation failed", error=f"{type(error).__name__}: {error}")
            raise unavailable() from error
        finally:
            self._limits.discard(limit)

    def _is_there(self) -> bool:
        return self._is_open and bool(self._client.delegate.topology_description.has_writable_server())


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise deadline_exceeded()
    return left
