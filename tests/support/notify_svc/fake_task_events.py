"""A fake task service that accepts confirmations and returns tasks, and can fail or hang."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from task.v1 import events_pb2, events_pb2_grpc, task_pb2, task_pb2_grpc

from tests.support.ports import free_port


class FakeTaskEvents(events_pb2_grpc.TaskEventsServiceServicer):
    """Counts the confirmations of each event."""

    def __init__(self) -> None:
        self.port = free_port()
        self.target = f"127.0.0.1:{self.port}"
        self.confirmed: Counter[str] = Counter()
        self.users: list[Any] = []
        self.is_unavailable = False
        self.hangs = False
        self.asked = asyncio.Event()
        self.tasks: dict[tuple[Any, str], task_pb2.Task] = {}
        self.shown = 0

    async def ConfirmEvents(
        self, request: events_pb2.ConfirmEventsRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> events_pb2.ConfirmEventsResponse:
        self.asked.set()
        self.users.extend(value for key, value in context.invocation_metadata() or () if key == "x-consumer-username")
        if self.hangs:
            await asyncio.sleep(30)
        if self.is_unavailable:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        assert len(request.event_ids) <= 500
        self.confirmed.update(request.event_ids)
        return events_pb2.ConfirmEventsResponse()


class FakeTasks(task_pb2_grpc.TaskServiceServicer):
    """Returns the tasks that a test has added to `FakeTaskEvents.tasks` by owner and id."""

    def __init__(self, fake: FakeTaskEvents) -> None:
        self._fake = fake

    async def GetTask(
        self, request: task_pb2.GetTaskRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> task_pb2.GetTaskResponse:
        self._fake.asked.set()
        self._fake.shown += 1
        if self._fake.is_unavailable:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        owner = dict(context.invocation_metadata() or ()).get("x-consumer-username")
        task = self._fake.tasks.get((owner, request.id))
        if task is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such task")
        return task_pb2.GetTaskResponse(task=task)


@asynccontextmanager
async def fake_task_events() -> AsyncIterator[FakeTaskEvents]:
    """Serve a fake on a free port."""
    fake = FakeTaskEvents()  # type: ignore[abstract]  # the fake implements only ConfirmEvents
    server = grpc.aio.server()
    tasks = FakeTasks(fake)  # type: ignore[abstract]
    task_pb2_grpc.add_TaskServiceServicer_to_server(tasks, server)
    events_pb2_grpc.add_TaskEventsServiceServicer_to_server(fake, server)
    servicer = health.aio.HealthServicer()
    await servicer.set("task.v1", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    server.add_insecure_port(fake.target)
    await server.start()
    try:
        yield fake
    finally:
        await server.stop(None)
