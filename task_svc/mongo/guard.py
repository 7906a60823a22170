"""The way to MongoDB: every operation goes through it, at most so many at once and within its request's deadlines.

While the store is away nothing new is sent. Operations wait for it a moment, here and not in the driver's threads; when
it stays away all of them end as Unavailable, and so do new ones at once. The driver's monitor sees that the store is
back, and operations go on.
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

from chassis.errors import DeadlineExceeded, Unavailable
from chassis.grpc_api import deadlines
from task_svc.mongo.documents import Document

_log = structlog.get_logger("store")

# Motor runs each operation in a thread, and has so many; what waits for one must wait where it can be called off.
AT_ONCE = max_workers
_PATIENCE = 0.5
_LOOK_AGAIN = 0.05
_DEFAULT_SECONDS = 30.0
_AT_ONCE_OVER = 0.0

T = TypeVar("T")


class Gate:
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
        until = deadlines.at() or time.monotonic() + _DEFAULT_SECONDS
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
            raise (_away() if limit.when() == _AT_ONCE_OVER else _late()) from None
        except PyMongoError as error:
            if time.monotonic() >= until:
                raise _late() from None
            _log.warning("operation failed", error=f"{type(error).__name__}: {error}")
            raise _away() from error
        finally:
            self._limits.discard(limit)

    def _is_there(self) -> bool:
        return self._is_open and bool(self._client.delegate.topology_description.has_writable_server())


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise _late()
    return left


def _late() -> DeadlineExceeded:
    return DeadlineExceeded("DEADLINE_EXCEEDED", "The store did not answer within the deadlines.")


def _away() -> Unavailable:
    # The driver's own words name hosts and ports, which are for the log alone.
    return Unavailable("STORE_UNAVAILABLE", "The store cannot be used at the moment; try again.")
