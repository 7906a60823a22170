"""Attacks through the gateway's port for gRPC. Only a real Kong has one: in development gRPC goes past the gateway."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from task.v1 import task_pb2, task_pb2_grpc

from tests.support.door import DEMO_KEY, GUEST_KEY

TARGET = os.environ.get("GATEWAY_GRPC_TARGET", "")
pytestmark = pytest.mark.skipif(not TARGET, reason="GATEWAY_GRPC_TARGET names no Kong")

LIST = "/task.v1.TaskService/ListTasks"
REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
HEALTH = "/grpc.health.v1.Health/Check"
NOWHERE = (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNIMPLEMENTED)
Metadata = Sequence[tuple[str, str]]


@asynccontextmanager
async def channel(host: str | None = None) -> AsyncIterator[grpc.aio.Channel]:
    """A connection to the gateway, which is told that this host is meant."""
    options: list[tuple[str, object]] = [("grpc.enable_http_proxy", 0)]
    if host:
        options.append(("grpc.default_authority", host))
    async with grpc.aio.insecure_channel(TARGET, options=options) as opened:
        yield opened


async def status(method: str, metadata: Metadata = (), host: str | None = None) -> grpc.StatusCode:
    """How a call with an empty message ends."""
    async with channel(host) as opened:
        call: Any = opened.unary_unary(method)
        return await call(b"", metadata=metadata, timeout=20).code()  # type: ignore[no-any-return]


# E3
@pytest.mark.parametrize("method", [LIST, "/notify.v1.NotificationService/ListNotifications"])
async def test_a_stranger_calls_nothing(method: str) -> None:
    for metadata in ((), (("x-api-key", "guessed"),), (("x-consumer-username", "demo"),)):
        assert await status(method, metadata) == grpc.StatusCode.UNAUTHENTICATED
    assert await status(method, (DEMO_KEY,)) == grpc.StatusCode.OK


# E2
async def test_a_program_cannot_call_itself_somebody_else() -> None:
    claims = (("x-consumer-username", "guest"), ("x-mesh-token", "guessed"))
    async with channel() as opened:
        tasks = task_pb2_grpc.TaskServiceStub(opened)
        request = task_pb2.CreateTaskRequest(task=task_pb2.Task(title="Only mine"))
        created = await tasks.CreateTask(request, metadata=(DEMO_KEY, *claims), timeout=20)
        assert created.task.owner == "demo"
        wanted = task_pb2.GetTaskRequest(id=created.task.id)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await tasks.GetTask(wanted, metadata=(GUEST_KEY,), timeout=20)
        assert refused.value.code() == grpc.StatusCode.NOT_FOUND


# E16
@pytest.mark.parametrize(
    "method",
    [
        "/task.v1.TaskEventsService/ConfirmEvents",
        "/notify.v1.NotificationEventsService/WatchNotificationEvents",
        "/notify.v1.DeadLetterService/ListDeadLetters",
    ],
)
async def test_services_inside_the_mesh_have_no_route(method: str) -> None:
    for host in (None, "task.mesh.localhost", "notify.mesh.localhost"):
        assert await status(method, (DEMO_KEY,), host) in NOWHERE


# E16
async def test_the_protos_are_told_to_nobody() -> None:
    for host in ("task.mesh.localhost", "notify.mesh.localhost"):
        assert await status(REFLECTION, (), host) == grpc.StatusCode.UNAUTHENTICATED
        assert await status(REFLECTION, (DEMO_KEY,), host) == grpc.StatusCode.UNIMPLEMENTED


async def test_whether_a_service_lives_is_for_everybody_who_says_which() -> None:
    for host in ("task.mesh.localhost", "notify.mesh.localhost"):
        assert await status(HEALTH, (), host) == grpc.StatusCode.OK
    assert await status(HEALTH) in NOWHERE
