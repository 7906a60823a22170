"""Fake services behind the edge: real gRPC servers with the real interceptors and domain, but in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import grpc
from notify.v1 import events_pb2_grpc as notify_events_pb2_grpc
from notify.v1 import notify_pb2, notify_pb2_grpc
from notify.v1.notify_pb2 import Notification
from opentelemetry.trace import NoOpTracer
from prometheus_client import CollectorRegistry
from pydantic_settings import SettingsConfigDict
from task.v1 import events_pb2_grpc as task_events_pb2_grpc
from task.v1 import task_pb2, task_pb2_grpc
from task.v1.events_pb2 import TaskEvent
from ulid import ULID

from chassis.errors import InvalidInput, Violation
from chassis.feed.feed import Feed
from chassis.feed.metrics import FeedMetrics
from chassis.grpc_api.server import MeshServer
from chassis.identity import require_user
from chassis.settings import GrpcSettings
from notify_svc.grpc_api.servicer import NotificationEventsServicer
from task_svc import domain
from task_svc.convert import new_fields_from_proto, task_to_proto
from task_svc.grpc_api import field_mask
from task_svc.grpc_api.servicer import TaskEventsServicer
from tests.support.ports import free_port

BEGUN = (1_795_000_000_000, 0)
Context = grpc.aio.ServicerContext[Any, Any]


class FakeSettings(GrpcSettings):
    model_config = SettingsConfigDict(env_prefix="FAKE_")


@dataclass
class Behaviour:
    """The errors and delays of a fake, and the requests that it received. Calls wait for `release` if it is set."""

    errors: list[Exception] = field(default_factory=list)
    abort: tuple[grpc.StatusCode, str] | None = None
    release: asyncio.Event | None = None
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    requests: list[Any] = field(default_factory=list)
    metadata: list[dict[str, str]] = field(default_factory=list)

    async def meet(self, request: Any, context: Context) -> None:
        self.requests.append(request)
        self.metadata.append({k: v for k, v in context.invocation_metadata() or () if isinstance(v, str)})
        self.entered.set()
        if self.release is not None:
            await self.release.wait()
        if self.errors:
            raise self.errors.pop(0)
        if self.abort is not None:
            await context.abort(*self.abort)


class FakeTaskService(task_pb2_grpc.TaskServiceServicer):
    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.behaviour = Behaviour()
        self.tasks: dict[str, domain.Task] = {}
        self._by_request: dict[tuple[str, str], str] = {}

    async def CreateTask(self, request: task_pb2.CreateTaskRequest, context: Context) -> task_pb2.CreateTaskResponse:
        await self.behaviour.meet(request, context)
        if violations := [*domain.request_id_violations(request.request_id)]:
            raise InvalidInput(*violations)
        task_id = self._by_request.setdefault((require_user(), request.request_id), str(ULID()))
        fields = new_fields_from_proto(request)
        known = self.tasks.get(task_id)
        if known is not None and known.fields != fields:
            raise InvalidInput(Violation("request_id", "was used for another task"), reason="REQUEST_ID_REUSED")
        if known is None:
            self.tasks[task_id] = domain.create(task_id, require_user(), fields, datetime.now(UTC))
        return task_pb2.CreateTaskResponse(task=task_to_proto(self.tasks[task_id]))

    async def GetTask(self, request: task_pb2.GetTaskRequest, context: Context) -> task_pb2.GetTaskResponse:
        await self.behaviour.meet(request, context)
        task = self._own(request.id)
        if not request.show_deleted:
            task.check_alive()
        return task_pb2.GetTaskResponse(task=task_to_proto(task))

    async def ListTasks(self, request: task_pb2.ListTasksRequest, context: Context) -> task_pb2.ListTasksResponse:
        await self.behaviour.meet(request, context)
        if request.page_size < 0:
            raise InvalidInput(Violation("page_size", "must not be negative"))
        if request.page_token:
            raise InvalidInput(Violation("page_token", "is damaged"), reason="INVALID_PAGE_TOKEN")
        own = [task for task in self.tasks.values() if task.owner == require_user()]
        return task_pb2.ListTasksResponse(tasks=[task_to_proto(task) for task in own])

    async def UpdateTask(self, request: task_pb2.UpdateTaskRequest, context: Context) -> task_pb2.UpdateTaskResponse:
        await self.behaviour.meet(request, context)
        task = self._own(request.task.id)
        change = field_mask.content_change(request.task, request.update_mask)
        fields = field_mask.apply(task.fields, change)
        updated = domain.update(task, fields, request.task.etag, datetime.now(UTC))
        self.tasks[task.id] = updated
        return task_pb2.UpdateTaskResponse(task=task_to_proto(updated))

    async def DeleteTask(self, request: task_pb2.DeleteTaskRequest, context: Context) -> task_pb2.DeleteTaskResponse:
        await self.behaviour.meet(request, context)
        deleted = domain.delete(self._own(request.id), request.etag, datetime.now(UTC))
        self.tasks[deleted.id] = deleted
        return task_pb2.DeleteTaskResponse(task=task_to_proto(deleted))

    async def UndeleteTask(
        self, request: task_pb2.UndeleteTaskRequest, context: Context
    ) -> task_pb2.UndeleteTaskResponse:
        await self.behaviour.meet(request, context)
        task = domain.undelete(self._own(request.id), datetime.now(UTC))
        self.tasks[task.id] = task
        return task_pb2.UndeleteTaskResponse(task=task_to_proto(task))

    def _own(self, task_id: str) -> domain.Task:
        task = self.tasks.get(task_id)
        if task is None or task.owner != require_user():
            raise domain.not_found(task_id)
        return task


class FakeNotificationService(notify_pb2_grpc.NotificationServiceServicer):
    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.behaviour = Behaviour()
        self.page = notify_pb2.ListNotificationsResponse()

    async def ListNotifications(
        self, request: notify_pb2.ListNotificationsRequest, context: Context
    ) -> notify_pb2.ListNotificationsResponse:
        await self.behaviour.meet(request, context)
        return self.page

    async def MarkNotificationsRead(
        self, request: notify_pb2.MarkNotificationsReadRequest, context: Context
    ) -> notify_pb2.MarkNotificationsReadResponse:
        await self.behaviour.meet(request, context)
        if bool(request.ids) == request.all:
            raise InvalidInput(Violation("ids", "exactly one of ids and all must be given"))
        return notify_pb2.MarkNotificationsReadResponse()


def mesh_server(port: int, service: str, events_service: str) -> MeshServer:
    """Return a server like that of a real service, without a token, which is optional on loopback."""

    async def ready() -> None:
        return

    settings = FakeSettings(grpc_port=port, metrics_port=1, drain_notice_seconds=0, drain_seconds=1)
    return MeshServer(
        settings,
        CollectorRegistry(),
        NoOpTracer(),
        services=(service, events_service),
        userless=(events_service,),
        ready=ready,
    )


@asynccontextmanager
async def serving_tasks(fakes: "Fakes") -> AsyncIterator[None]:
    """Serve the fake task service, with a real stream of the events in its feed."""
    server = mesh_server(fakes.task_port, "task.v1.TaskService", "task.v1.TaskEventsService")
    task_pb2_grpc.add_TaskServiceServicer_to_server(fakes.tasks, server.grpc)
    events: Any = TaskEventsServicer(None, fakes.task_feed)  # type: ignore[arg-type]  # ConfirmEvents is not called
    task_events_pb2_grpc.add_TaskEventsServiceServicer_to_server(events, server.grpc)
    async with server.serving():
        yield


@asynccontextmanager
async def serving_notifications(fakes: "Fakes") -> AsyncIterator[None]:
    """Serve the fake notification service, with a real stream of the notifications in its feed."""
    server = mesh_server(fakes.notify_port, "notify.v1.NotificationService", "notify.v1.NotificationEventsService")
    notify_pb2_grpc.add_NotificationServiceServicer_to_server(fakes.notifications, server.grpc)
    events = NotificationEventsServicer(fakes.notification_feed)
    notify_events_pb2_grpc.add_NotificationEventsServiceServicer_to_server(events, server.grpc)
    async with server.serving():
        yield


@dataclass
class Fakes:
    """Both fakes, and the ports that they listen on."""

    tasks: FakeTaskService
    notifications: FakeNotificationService
    task_port: int = field(default_factory=free_port)
    notify_port: int = field(default_factory=free_port)
    task_feed: Feed[TaskEvent] = field(default_factory=lambda: _feed("tasks"))
    notification_feed: Feed[Notification] = field(default_factory=lambda: _feed("notifications"))

    def reset(self) -> None:
        """Reset both fakes to their initial state."""
        self.tasks.reset()
        self.notifications.reset()


@asynccontextmanager
async def running_fakes() -> AsyncIterator[Fakes]:
    """Serve both fakes; their feeds have begun and are empty."""
    tasks = FakeTaskService()  # type: ignore[abstract]  # the edge does not call WatchTasks
    notifications = FakeNotificationService()  # type: ignore[abstract]
    fakes = Fakes(tasks, notifications)
    fakes.task_feed.begin(BEGUN)
    fakes.notification_feed.begin(BEGUN)
    async with serving_tasks(fakes), serving_notifications(fakes):
        yield fakes


def _feed(name: str) -> Feed[Any]:
    return Feed(FeedMetrics(CollectorRegistry()).of(name))
