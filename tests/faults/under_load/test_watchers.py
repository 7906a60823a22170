"""Services that are stopped while clients watch (row A13)."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2

from tests.faults.harness.report import Record
from tests.faults.harness.system import System, now
from tests.faults.harness.watchers import create, source_of
from tests.support.chassis.standard_services import health_of
from tests.support.edge_api.light_client import watched
from tests.support.edge_api.sse import EventSource


async def two_titles(source: EventSource) -> dict[str, str]:
    """Return the titles of the next two events, by event name."""
    events = [await source.next(within=30) for _ in range(2)]
    return {event.name: event.data["title"] for event in events}


@asynccontextmanager
async def watched_health(target: str, service: str) -> AsyncIterator[Any]:
    """Open a Health.Watch and read its first status."""
    async with grpc.aio.insecure_channel(target) as channel:
        call = health_of(channel).Watch(health_pb2.HealthCheckRequest(service=service))
        await call.read()
        yield call


async def test_a_stopped_edge_ends_500_streams_cleanly_with_spread_retry_times(
    mesh: System, record_property: Record
) -> None:
    await mesh.start()
    async with watched(mesh.edge_port, [f"user-{number}" for number in range(500)]) as opened:
        stopped = now()
        mesh.edge.send(signal.SIGTERM)
        ended = [await asyncio.wait_for(stream.ended, 20) for stream in opened]
        status = await asyncio.to_thread(mesh.edge.wait)
        seconds = now() - stopped
    retries = [stream.retry_ms for stream in opened]
    spread = max(retries) - min(retries)
    record_property(
        "fault",
        f"A13     SIGTERM edge_api with 500 open streams: exited after {seconds:.1f} s, "
        f"retry times spread over {spread} ms",
    )

    assert ended == [True] * 500
    assert status == 0
    assert seconds <= 10
    assert spread >= 3_000
    assert not any(word in mesh.edge.output() for word in ("Task was destroyed", "Traceback", '"level":"error"'))


@pytest.mark.parametrize("module", ["task_svc", "notify_svc"])
async def test_a_stopped_service_ends_its_streams_and_watchers_at_the_edge_stay_connected(
    mesh: System, record_property: Record, module: str
) -> None:
    await mesh.start()
    process, target, service = {
        "task_svc": (mesh.task, mesh.task_target, "task.v1.TaskService"),
        "notify_svc": (mesh.notify, mesh.notify_target, "notify.v1.NotificationService"),
    }[module]
    async with source_of(mesh, "ann") as source:
        await create(mesh, "ann", "before the stop")
        assert await two_titles(source) == {"task.created": "before the stop", "notification": "before the stop"}
        async with watched_health(target, service) as health:
            stopped = now()
            process.send(signal.SIGTERM)
            states = []
            while (state := await health.read()) is not grpc.aio.EOF:
                states.append(state.status)
            code = await health.code()
        status = await asyncio.to_thread(process.wait)
        seconds = now() - stopped
        process.start()
        await mesh.ready()
        await create(mesh, "ann", "after the stop")
        seen = await two_titles(source)
    record_property("fault", f"A13     SIGTERM {module} with an open Health.Watch: exited after {seconds:.1f} s")

    assert states == [health_pb2.HealthCheckResponse.NOT_SERVING]
    assert (code, status) == (grpc.StatusCode.OK, 0)
    assert seconds <= 10
    assert seen == {"task.created": "after the stop", "notification": "after the stop"}
