"""The ports of the services behind the simulated network: the store, the queue, the task service, a channel."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, cast

import grpc
from grpc.aio import AioRpcError, Metadata
from redis.asyncio import Redis
from task.v1 import events_pb2, task_pb2

from chassis import identity
from chassis.errors import NotFound, Unavailable
from notify_svc.delivery.channel import DeliveryFailed
from notify_svc.domain import Notification
from task_svc import convert
from task_svc.outbox import EventId
from task_svc.repository import TaskRepository
from task_svc.use_cases import Tasks
from tests.simulation.network import Blocked, Network, Process, Server
from tests.simulation.redis_client import Command, SimulatedRedis, reply
from tests.simulation.redis_model import RedisModel

T = TypeVar("T")
Call = Callable[[str, Callable[[Tasks], Coroutine[Any, Any, Any]]], Awaitable[Any]]


def run_now(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits; return its result."""
    try:
        work.send(None)
    except StopIteration as stop:
        return cast(T, stop.value)
    work.close()
    msg = "the coroutine waits"
    raise AssertionError(msg)


class _Store:
    def __init__(self, network: Network, process: Process, server: Server, store: TaskRepository) -> None:
        self._route = network, process, server
        self._store = store

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        network, process, server = self._route
        method = getattr(self._store, name)

        async def call(*arguments: Any) -> Any:
            return await network.call(process, server, f"store.{name}", lambda: run_now(method(*arguments)))

        return call


def store_over(network: Network, process: Process, server: Server, store: TaskRepository) -> TaskRepository:
    """Return the store for a process, behind the network."""
    return cast(TaskRepository, _Store(network, process, server, store))


def redis_over(
    network: Network, process: Process, server: Server, model: RedisModel, *, repeats: bool, published: list[str]
) -> Redis:
    """Return the queue for a process, behind the network; with `repeats`, the client retries a failed call once."""

    async def send(commands: list[Command]) -> list[Any]:
        label = "+".join(str(command[0]) for command in commands[:3])
        for _ in range(1 + repeats):
            try:
                return cast(list[Any], await network.call(process, server, label, lambda: _execute(commands)))
            except connection_error as error:
                lost = error
        raise lost

    def _execute(commands: list[Command]) -> list[Any]:
        # If the connection breaks, only some of the commands are executed.
        executed = len(commands) if not network.happens() else network.rng.randrange(len(commands) + 1)
        replies = [_one(command) for command in commands[:executed]]
        if len(replies) < len(commands):
            raise server.error("broke the connection")
        return replies

    def _one(command: Command) -> Any:
        found = reply(model, command)
        if command[0] == "XREADGROUP" and "BLOCK" in _decoded(command) and not found:
            raise Blocked(float(command[_decoded(command).index("BLOCK") + 1]) / 1000)
        if command[0] == "XADD":
            published.append(command[command.index("id") + 1])
            server.wake_waiting()
        return found

    connection_error = type(server.error(""))
    return cast(Redis, SimulatedRedis(send))


def _decoded(command: Command) -> list[Any]:
    return [part.decode() if isinstance(part, bytes) else part for part in command]


def rpc_error(code: grpc.StatusCode) -> AioRpcError:
    return AioRpcError(code, Metadata(), Metadata())


class TaskService:
    """Both stubs of the notification service; `call` sends a call to one of the replicas."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def ConfirmEvents(self, request: events_pb2.ConfirmEventsRequest, timeout: float) -> None:
        ids = [found for text in request.event_ids if (found := EventId.parse(text)) is not None]
        await self._call("ConfirmEvents", lambda tasks: tasks.confirm(ids))

    async def GetTask(self, request: task_pb2.GetTaskRequest, timeout: float) -> task_pb2.GetTaskResponse:
        owner = identity.require_user()

        async def get(tasks: Tasks) -> task_pb2.GetTaskResponse:
            try:
                task = await tasks.get(owner, request.id, show_deleted=False)
            except NotFound:
                raise rpc_error(grpc.StatusCode.NOT_FOUND) from None
            return task_pb2.GetTaskResponse(task=convert.task_to_proto(task))

        return cast(task_pb2.GetTaskResponse, await self._call("GetTask", get))


class SinkChannel:
    """A channel that records all delivered notifications."""

    name = "sink"
    concurrency = 4

    def __init__(self, network: Network, process: Process, server: Server, notified: list[Notification]) -> None:
        self._network = network
        self._process = process
        self._server = server
        self._notified = notified

    async def deliver(self, notification: Notification) -> None:
        label = f"deliver {notification.id}"
        await self._network.call(self._process, self._server, label, lambda: self._notified.append(notification))


def store_error(reason: str) -> Exception:
    return Unavailable("STORE_UNAVAILABLE", reason)


def sink_error(reason: str) -> Exception:
    return DeliveryFailed(reason)
