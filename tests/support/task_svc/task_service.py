"""The task service in the test's process: a real server and store, a manual clock, and recorded events."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import grpc
from prometheus_client import CollectorRegistry
from task.v1 import events_pb2_grpc, task_pb2_grpc

from chassis.feed.feed import Feed
from chassis.feed.metrics import FeedMetrics
from chassis.metrics import new_registry
from chassis.tracing import Tracing
from task_svc.grpc_api import server as grpc_server
from task_svc.grpc_api import watch
from task_svc.outbox import OutboxEntry
from task_svc.settings import TaskSettings
from task_svc.sqlite.store import SqliteTaskRepository, open_store
from task_svc.use_cases import Tasks
from tests.support.clock import HandClock
from tests.support.ports import free_port


@dataclass
class RunningTaskService:
    """A running task service: stubs, store, clock, and the events that it passed to the relay (`published`)."""

    target: str
    tasks: "task_pb2_grpc.TaskServiceAsyncStub"
    events: "events_pb2_grpc.TaskEventsServiceAsyncStub"
    store: SqliteTaskRepository
    clock: HandClock
    published: list[OutboxEntry]
    feed: Feed[watch.Event]
    registry: CollectorRegistry
    use_cases: Tasks


@asynccontextmanager
async def task_service(directory: Path, *, reminder_lead: timedelta = timedelta()) -> AsyncIterator[RunningTaskService]:
    """Serve on a free port until the end of the block."""
    settings = TaskSettings(grpc_port=free_port(), drain_notice_seconds=0, drain_seconds=2)
    clock, published, registry = HandClock(), list[OutboxEntry](), new_registry()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(directory / "tasks.db"))
        tasks = Tasks(store, clock, published.append, reminder_lead)
        feed = Feed[watch.Event](FeedMetrics(registry).of("tasks"))
        tracer = Tracing("task_svc", None).tracer
        server = grpc_server.build(settings, registry, tracer, tasks, feed, store.ping)
        await stack.enter_async_context(server.serving())
        target = f"127.0.0.1:{settings.grpc_port}"
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(target))
        yield RunningTaskService(
            target,
            task_pb2_grpc.TaskServiceStub(channel),
            events_pb2_grpc.TaskEventsServiceStub(channel),
            store,
            clock,
            published,
            feed,
            registry,
            tasks,
        )
