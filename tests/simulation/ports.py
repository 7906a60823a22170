"""The ports of the services, with the network in between: the store, the queue, the task service, a channel."""

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
from tests.simulation.redis_client import Command, SimulatedRedis, answer
from tests.simulation.redis_model import RedisModel

T = TypeVar("T")
Ask = Callable[[str, Callable[[Tasks], Coroutine[Any, Any, Any]]], Awaitable[Any]]


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as stop:
        return cast(T, stop.value)
    work.close()
    msg = "it waits"
    raise AssertionError(msg)


class _Store:
    def __init__(self, network: Network, process: Process, server: Server, store: TaskRepository) -> None:
        self._way = network, process, server
        self._store = store

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        network, process, server = self._way
        method = getattr(self._store, name)

        async def call(*arguments: Any) -> Any:
            return await network.call(process, server, f"store.{name}", lambda: at_once(method(*arguments)))

        return call


def store_over(network: Network, process: Process, server: Server, store: TaskRepository) -> TaskRepository:
    """The store as a process reaches it."""
    return cast(TaskRepository, _Store(network, process, server, store))


def redis_over(
    network: Network, process: Process, server: Server, model: RedisModel, *, repeats: bool, published: list[str]
) -> Redis:
    """The queue as a process reaches it; a client that `repeats` sends again what it had no answer to."""

    async def send(commands: list[Command]) -> list[Any]:
        label = "+".join(str(command[0]) for command in commands[:3])
        for _ in range(1 + repeats):
            try:
                return cast(list[Any], await network.call(process, server, label, lambda: _carried_out(commands)))
            except server_lost as error:
                lost = error
        raise lost

    def _carried_out(commands: list[Command]) -> list[Any]:
        # A connection that breaks in the middle has carried a part.
        whole = len(commands) if not network.happens() else network.chance.randrange(len(commands) + 1)
        answers = [_one(command) for command in commands[:whole]]
        if len(answers) < len(commands):
            raise server.away("broke off")
        return answers

    def _one(command: Command) -> Any:
        found = answer(model, command)
        if command[0] == "XREADGROUP" and "BLOCK" in _words(command) and not found:
            raise Blocked(float(command[_words(command).index("BLOCK") + 1]) / 1000)
        if command[0] == "XADD":
            published.append(command[command.index("id") + 1])
            server.has_news()
        return found

    server_lost = type(server.away(""))
    return cast(Redis, SimulatedRedis(send))


def _words(command: Command) -> list[Any]:
    return [part.decode() if isinstance(part, bytes) else part for part in command]


def rpc_error(code: grpc.StatusCode) -> AioRpcError:
    return AioRpcError(code, Metadata(), Metadata())


class TaskService:
    """Both stubs that the notifier has, over `ask`, which carries a call to one of the replicas."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def ConfirmEvents(self, request: events_pb2.ConfirmEventsRequest, timeout: float) -> None:
        ids = [found for text in request.event_ids if (found := EventId.parse(text)) is not None]
        await self._ask("ConfirmEvents", lambda tasks: tasks.confirm(ids))

    async def GetTask(self, request: task_pb2.GetTaskRequest, timeout: float) -> task_pb2.GetTaskResponse:
        owner = identity.require_user()

        async def get(tasks: Tasks) -> task_pb2.GetTaskResponse:
            try:
                task = await tasks.get(owner, request.id, show_deleted=False)
            except NotFound:
                raise rpc_error(grpc.StatusCode.NOT_FOUND) from None
            return task_pb2.GetTaskResponse(task=convert.task_to_proto(task))

        return cast(task_pb2.GetTaskResponse, await self._ask("GetTask", get))


class SinkChannel:
    """A channel to an outside that remembers all it was told."""

    name = "sink"
    concurrency = 4

    def __init__(self, network: Network, process: Process, server: Server, told: list[Notification]) -> None:
        self._network = network
        self._process = process
        self._server = server
        self._told = told

    async def deliver(self, notification: Notification) -> None:
        label = f"deliver {notification.id}"
        await self._network.call(self._process, self._server, label, lambda: self._told.append(notification))


def store_away(why: str) -> Exception:
    return Unavailable("STORE_UNAVAILABLE", why)


def sink_away(why: str) -> Exception:
    return DeliveryFailed(why)
