"""Runs all operations on MongoDB: limits their number, and ends each one at its request's deadline.

While the store is unavailable, operations wait for it here for half a second, not in the driver's threads. Then they
fail with Unavailable, and new ones fail immediately, until the driver's monitor finds the store again.
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

# The number of Motor's threads. Each operation needs one; those that wait for a thread must stay cancellable.
CONCURRENCY = max_workers
_GRACE_SECONDS = 0.5
_POLL_SECONDS = 0.05
_DEFAULT_SECONDS = 30.0
_EXPIRED = 0.0

T = TypeVar("T")


class MongoGuard:
    """Runs operations on the store of `client`, after `open` and while the store is available."""

    def __init__(self, client: "AsyncIOMotorClient[Document]") -> None:
        self._client = client
        self._is_open = False
        self._last_seen = time.monotonic()
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._limits: set[asyncio.Timeout] = set()

    def open(self) -> None:
        """Allow operations, once the store has its indexes."""
        self._is_open = True

    async def watch(self) -> None:
        """Check the store every 50 ms, forever, and end all operations while it stays unavailable."""
        while True:
            if self._is_available():
                self._last_seen = time.monotonic()
            elif time.monotonic() > self._last_seen + _GRACE_SECONDS:
                for limit in self._limits:
                    if not limit.expired():
                        limit.reschedule(_EXPIRED)
            await asyncio.sleep(_POLL_SECONDS)

    async def do(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run `work`, an operation on the store, and return its result.

        Raises Unavailable while the store is unavailable, and DeadlineExceeded when the request's deadline passes. In
        both cases, the operation may still have been executed.
        """
        until = deadlines.at(_DEFAULT_SECONDS)
        limit = asyncio.timeout(_left(until))
        self._limits.add(limit)
        try:
            async with limit, self._slots:
                while not self._is_available():  # noqa: ASYNC110 (the driver's threads have no event for this loop)
                    await asyncio.sleep(_POLL_SECONDS)
                # The driver's timeout frees its thread, and stops the server's work, after the caller has given up.
                with pymongo.timeout(_left(until)):
                    return await work()
        except TimeoutError:
            raise (unavailable() if limit.when() == _EXPIRED else deadline_exceeded()) from None
        except PyMongoError as error:
            if time.monotonic() >= until:
                raise deadline_exceeded() from None
            _log.warning("operation failed", error=f"{type(error).__name__}: {error}")
            raise unavailable() from error
        finally:
            self._limits.discard(limit)

    def _is_available(self) -> bool:
        return self._is_open and bool(self._client.delegate.topology_description.has_writable_server())


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise deadline_exceeded()
    return left
