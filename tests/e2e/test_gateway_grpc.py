"""Attacks through the gateway's gRPC port. Only a real Kong has one: in development, gRPC bypasses the gateway.

GATEWAY_GRPC_TARGET sets the port. The default is port 9080 of the host in GATEWAY_URL.
"""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
import httpx
import pytest
from task.v1 import task_pb2, task_pb2_grpc

from tests.support.kong.gateway import DEMO_KEY, GUEST_KEY, KONG, only_kong

TARGET = os.environ.get("GATEWAY_GRPC_TARGET") or f"{httpx.URL(KONG or '').host}:9080"
pytestmark = only_kong

LIST = "/task.v1.TaskService/ListTasks"
REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
HEALTH = "/grpc.health.v1.Health/Check"
NOWHERE = (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNIMPLEMENTED)
Metadata = Sequence[tuple[str, str]]


@asynccontextmanager
async def channel(host: str | None = None, target: str = TARGET) -> AsyncIterator[grpc.aio.Channel]:
    """Open a channel to the gateway, optionally with `host` as the authority."""
    options: list[tuple[str, object]] = [("grpc.enable_http_proxy", 0)]
    if host:
        options.append(("grpc.default_authority", host))
    async with grpc.aio.insecure_channel(target, options=options) as opened:
        yield opened


async def status(method: str, metadata: Metadata = (), host: str | None = None) -> grpc.StatusCode:
    """Return the status code of a call with an empty message."""
    async with channel(host) as opened:
        call: Any = opened.unary_unary(method)
        return await call(b"", metadata=metadata, timeout=20).code()  # type: ignore[no-any-return]


# E3
@pytest.mark.parametrize("method", [LIST, "/notify.v1.NotificationService/ListNotifications"])
async def test_a_client_without_a_key_can_call_nothing(method: str) -> None:
    for metadata in ((), (("x-api-key", "guessed"),), (("x-consumer-username", "demo"),)):
        assert await status(method, metadata) == grpc.StatusCode.UNAUTHENTICATED
    assert await status(method, (DEMO_KEY,)) == grpc.StatusCode.OK


# E2
async def test_a_program_cannot_claim_to_be_another_user() -> None:
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
async def test_reflection_needs_a_key_and_is_off() -> None:
    for host in ("task.mesh.localhost", "notify.mesh.localhost"):
        assert await status(REFLECTION, (), host) == grpc.StatusCode.UNAUTHENTICATED
        assert await status(REFLECTION, (DEMO_KEY,), host) == grpc.StatusCode.UNIMPLEMENTED


async def test_health_needs_a_host_and_no_key() -> None:
    for host in ("task.mesh.localhost", "notify.mesh.localhost"):
        assert await status(HEALTH, (), host) == grpc.StatusCode.OK
        assert await status("/grpc.health.v1.Health/List", (), host) in NOWHERE
    assert await status(HEALTH) in NOWHERE


# D4
async def test_a_message_of_more_than_256_kib_does_not_reach_a_service() -> None:
    async with channel() as opened:
        tasks = task_pb2_grpc.TaskServiceStub(opened)
        request = task_pb2.CreateTaskRequest(task=task_pb2.Task(title="x" * 300_000))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await tasks.CreateTask(request, metadata=(DEMO_KEY,), timeout=20)
    assert refused.value.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED)
    assert "grpc-status-details-bin" not in dict(refused.value.trailing_metadata() or ()), "an error of the service"


async def test_each_port_serves_only_its_own_protocol() -> None:
    assert KONG
    url = httpx.URL(KONG)
    async with channel(target=f"{url.host}:{url.port}") as opened:
        call: Any = opened.unary_unary(LIST)
        assert await call(b"", metadata=(DEMO_KEY,), timeout=20).code() != grpc.StatusCode.OK
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"http://{TARGET}/api/v1/tasks", headers=[DEMO_KEY])).status_code == 404
