"""No method of a registered service ends with INTERNAL or UNKNOWN."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pool, message_factory
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from notify.v1 import dead_letters_pb2, notify_pb2
from notify.v1 import events_pb2 as notify_events_pb2
from task.v1 import events_pb2, task_pb2

from tests.support.notify_svc.fake_task_events import fake_task_events
from tests.support.notify_svc.notifier import serving
from tests.support.task_svc.task_service import task_service
from tests.support.valkey import Valkey

STANDARD = (health_pb2, reflection_pb2)
TASK, NOTIFY = (task_pb2, events_pb2, *STANDARD), (notify_pb2, notify_events_pb2, dead_letters_pb2, *STANDARD)
DEFECTS = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)


def methods(*files: Any) -> list[Any]:
    """Return one parameter for each method of the services in these files."""
    services = [service for file in files for service in file.DESCRIPTOR.services_by_name.values()]
    return [pytest.param(method.full_name, id=method.full_name) for service in services for method in service.methods]


@pytest.fixture
async def tasks(tmp_path: Path) -> AsyncIterator[str]:
    async with task_service(tmp_path) as service:
        yield service.target


@pytest.fixture
async def notifications(valkey: Valkey) -> AsyncIterator[str]:
    async with fake_task_events() as fake, serving(valkey.url, fake.target) as service:
        yield f"127.0.0.1:{service.settings.grpc_port}"


@pytest.mark.parametrize("method", methods(*TASK))
async def test_no_method_of_the_task_service_has_a_defect(tasks: str, method: str) -> None:
    assert await ended(tasks, method) not in DEFECTS


@pytest.mark.parametrize("method", methods(*NOTIFY))
async def test_no_method_of_the_notification_service_has_a_defect(notifications: str, method: str) -> None:
    assert await ended(notifications, method) not in DEFECTS


async def test_a_method_without_an_implementation_is_unimplemented(tasks: str) -> None:
    assert await ended(tasks, "grpc.health.v1.Health.List") is grpc.StatusCode.UNIMPLEMENTED


async def ended(target: str, name: str) -> grpc.StatusCode:
    """Return the status of a call with an empty request; a response stream is cancelled after its first message."""
    method = descriptor_pool.Default().FindMethodByName(name)
    path = f"/{method.containing_service.full_name}/{method.name}"
    empty, answer = (message_factory.GetMessageClass(each) for each in (method.input_type, method.output_type))
    kinds = {True: "stream", False: "unary"}
    async with grpc.aio.insecure_channel(target) as channel:
        kind = f"{kinds[method.client_streaming]}_{kinds[method.server_streaming]}"
        begin: Any = getattr(channel, kind)(path, empty.SerializeToString, answer.FromString)
        request = iter((empty(),)) if method.client_streaming else empty()
        call = begin(request, metadata=(("x-consumer-username", "ann"),), timeout=20)
        if method.server_streaming:
            try:
                await call.read()
            except grpc.aio.AioRpcError:
                pass
            else:
                call.cancel()
        code: grpc.StatusCode = await call.code()
        return code
