"""The services behind the edge: the channel to each, the calls to retry, and their health."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from notify.v1 import events_pb2_grpc as notify_events_pb2_grpc
from notify.v1 import notify_pb2_grpc
from task.v1 import events_pb2_grpc, task_pb2_grpc

from chassis.grpc_api.client import ClientInterceptor, OpenChannel, open_channel, service_config

TASK_SERVICE = "task.v1.TaskService"
NOTIFICATION_SERVICE = "notify.v1.NotificationService"
TASK_EVENTS_SERVICE = "task.v1.TaskEventsService"
NOTIFICATION_EVENTS_SERVICE = "notify.v1.NotificationEventsService"
_HEALTH_TIMEOUT = 1.0

# Not UpdateTask and DeleteTask: if the first attempt succeeded, the retry would report a conflict.
_TASK_CONFIG = service_config({TASK_SERVICE: ["CreateTask", "GetTask", "ListTasks"]}, package="task.v1")
_NOTIFY_CONFIG = service_config(
    {NOTIFICATION_SERVICE: ["ListNotifications", "MarkNotificationsRead"]}, package="notify.v1"
)


class Upstreams:
    """The stubs of both services, and their health."""

    def __init__(self, tasks: grpc.aio.Channel, notifications: grpc.aio.Channel) -> None:
        self.tasks = task_pb2_grpc.TaskServiceStub(tasks)
        self.task_events = events_pb2_grpc.TaskEventsServiceStub(tasks)
        self.notifications = notify_pb2_grpc.NotificationServiceStub(notifications)
        self.notification_events = notify_events_pb2_grpc.NotificationEventsServiceStub(notifications)
        self._health = {
            TASK_SERVICE: _health_check(tasks),
            NOTIFICATION_SERVICE: _health_check(notifications),
        }

    async def states(self) -> dict[str, str]:
        """Return the health of each service (SERVING, NOT_SERVING …), or the status of its failed health check."""
        states = await asyncio.gather(*(self._state(service) for service in self._health))
        return dict(zip(self._health, states, strict=True))

    async def _state(self, service: str) -> str:
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            answer = await self._health[service](request, timeout=_HEALTH_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            return error.code().name
        return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


def _health_check(channel: grpc.aio.Channel) -> Any:
    # The stub creates its methods at run time, so type checkers do not see them.
    stub: Any = health_pb2_grpc.HealthStub(channel)
    return stub.Check


@asynccontextmanager
async def open_upstreams(
    task_target: str, notify_target: str, calls: ClientInterceptor, open_channel: OpenChannel = open_channel
) -> AsyncIterator[Upstreams]:
    """Open the channels for the duration of the block, even if the services are not available yet."""
    async with (
        open_channel(task_target, _TASK_CONFIG, calls) as tasks,
        open_channel(notify_target, _NOTIFY_CONFIG, calls) as notifications,
    ):
        yield Upstreams(tasks, notifications)
