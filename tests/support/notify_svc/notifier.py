"""The notification service in the test's process, with a real Valkey and a fake task service."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from notify.v1 import dead_letters_pb2_grpc, notify_pb2_grpc
from notify.v1 import events_pb2_grpc as notify_events_pb2_grpc
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from chassis.background_jobs import background
from chassis.feed.feed import FeedLimits
from chassis.tracing import Tracing
from notify_svc.composition import Notifier, open_notifier
from notify_svc.delivery.channel import Channel, DeliveryFailed
from notify_svc.domain import Notification
from notify_svc.settings import NotifySettings
from notify_svc.storage import redis_keys
from tests.support.eventually import eventually
from tests.support.notify_svc.task_events import OCCURRED_MS
from tests.support.ports import free_port

QUICK: dict[str, Any] = {
    "retry_first_seconds": 0.01,
    "retry_longest_seconds": 0.02,
    "delivery_poll_seconds": 0.02,
    "max_attempts": 3,
    "delivery_timeout_seconds": 0.1,
    "delivery_lease_seconds": 1.0,
}


async def becomes(condition: Callable[[], bool], *, within: float = 30) -> None:
    """Wait until a condition in this process is true; fail after `within` seconds."""

    async def holds() -> bool:
        return condition()

    await eventually(holds, within=within)


class FakeChannel:
    """A channel that records deliveries. The first `failures` attempts fail; with `hangs`, all attempts hang."""

    concurrency = 50

    def __init__(self, name: str = "fake", *, failures: int = 0, hangs: bool = False) -> None:
        self.name = name
        self.delivered: list[Notification] = []
        self.attempts = 0
        self._failures = failures
        self._hangs = hangs

    def fail(self, failures: int) -> None:
        """Let this number of attempts fail, counted from the first attempt."""
        self._failures = failures

    async def deliver(self, notification: Notification) -> None:
        self.attempts += 1
        if self._hangs:
            await asyncio.Event().wait()
        if self.attempts <= self._failures:
            raise DeliveryFailed("not now")
        self.delivered.append(notification)


class Clock:
    """A clock that shows a fixed time; tests change `ms`."""

    def __init__(self) -> None:
        self.ms = OCCURRED_MS

    def __call__(self) -> int:
        return self.ms


def wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Running:
    """A running service: its Redis, parts, metrics and stubs."""

    redis: Redis
    notifier: Notifier
    registry: CollectorRegistry
    channels: Sequence[Channel]
    stub: Any = None
    events_stub: Any = None
    letters: Any = None
    settings: NotifySettings = field(default_factory=NotifySettings)

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    async def pending(self) -> int:
        """Return the number of entries that were read but not acknowledged; 0 without a stream."""
        groups = await self.redis.xinfo_groups(redis_keys.EVENTS) if await self.redis.exists(redis_keys.EVENTS) else []
        return sum(int(group["pending"]) for group in groups)

    async def listed(self, owner: str = "demo", size: int = 200) -> list[Notification]:
        """Return the newest notifications of a user."""
        return (await self.notifier.inbox.page(owner, size, None)).notifications

    async def dead_letters(self) -> dict[str, dict[bytes, bytes]]:
        """Return all dead letters by key."""
        keys: Any = await self.redis.zrange(redis_keys.DEAD_LETTERS, 0, -1)
        letters = dict[str, dict[bytes, bytes]]()
        for key in keys:
            fields: Any = await self.redis.hgetall(redis_keys.dead_letter_key(key.decode()))
            letters[key.decode()] = fields
        return letters

    async def all_acknowledged(self) -> bool:
        """Return whether all entries of the stream were read and acknowledged."""
        groups = await self.redis.xinfo_groups(redis_keys.EVENTS)
        stream = await self.redis.xinfo_stream(redis_keys.EVENTS)
        return bool(
            groups and groups[0]["pending"] == 0 and groups[0]["last-delivered-id"] == stream["last-generated-id"]
        )


@asynccontextmanager
async def built(
    url: str,
    target: str,
    channels: Sequence[Channel] = (),
    *,
    now_ms: Callable[[], int] = wall_clock_ms,
    limits: FeedLimits | None = None,
    **settings: Any,
) -> AsyncIterator[Running]:
    """Build the parts of a service without running its jobs."""
    made = NotifySettings(grpc_port=free_port(), redis_url=url, task_grpc_target=target, **{**QUICK, **settings})
    registry = CollectorRegistry()
    async with open_notifier(
        made, registry, Tracing("test", None).tracer, channels=channels, clock=now_ms, limits=limits
    ) as notifier:
        yield Running(notifier.redis, notifier, registry, channels, settings=made)


@asynccontextmanager
async def running(url: str, target: str, channels: Sequence[Channel] = (), **given: Any) -> AsyncIterator[Running]:
    """Run a service without its gRPC server."""
    async with built(url, target, channels, **given) as parts, background(parts.notifier.jobs(), parts.registry):
        yield parts


@asynccontextmanager
async def serving(url: str, target: str, channels: Sequence[Channel] = (), **given: Any) -> AsyncIterator[Running]:
    """Run a service with its gRPC server and stubs."""
    async with AsyncExitStack() as stack:
        parts = await stack.enter_async_context(running(url, target, channels, drain_notice_seconds=0, **given))
        await stack.enter_async_context(parts.notifier.grpc_server().serving())
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{parts.settings.grpc_port}"))
        parts.stub = notify_pb2_grpc.NotificationServiceStub(channel)
        parts.events_stub = notify_events_pb2_grpc.NotificationEventsServiceStub(channel)
        parts.letters = dead_letters_pb2_grpc.DeadLetterServiceStub(channel)
        yield parts
