"""Watchers in great numbers, that do not read, that come and go: what FAULTS calls A13, F2, F3 and F4."""

import asyncio
import signal
import socket
import statistics
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import psutil
import pytest
from grpc_health.v1 import health_pb2

from tests.faults.load import Entry, Load
from tests.faults.system import System, as_user, now, system
from tests.support.eventually import eventually
from tests.support.light_client import head, watched
from tests.support.sse import EventSource, event_source
from tests.support.standard_services import health_of

Record = Callable[[str, object], None]
KIB, MIB = 1024, 1024 * 1024


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[System]:
    with system(tmp_path / "mesh", EDGE_MAX_WATCHERS_PER_USER="2000") as running:
        yield running


async def watchers(mesh: System, module: str = "edge_api") -> float:
    """How many watch, on all feeds of the process together."""
    return (await mesh.metrics(module))["watchers"]


async def watchers_become(mesh: System, count: int, within: float = 20) -> None:
    async def are() -> bool:
        return await watchers(mesh) == count

    await eventually(are, within=within)


async def create(mesh: System, user: str, title: str) -> None:
    async with httpx.AsyncClient(base_url=mesh.edge_url, headers=as_user(user)) as client:
        answer = await client.post("/api/v1/tasks", json={"title": title})
        assert answer.status_code == 201, answer.text


async def creates_and_edge_seconds(mesh: System, edge: psutil.Process, first: int) -> tuple[list[Entry], float]:
    """300 creates, and the processor time that the edge took for them and all else that it did meanwhile."""
    before = edge.cpu_times()
    history = await Load(mesh.edge_url, creates=300, first=first).run()
    after = edge.cpu_times()
    return history, after.user + after.system - before.user - before.system


def p99(history: list[Entry]) -> float:
    """The time in which 99 of 100 calls were answered, in seconds."""
    return statistics.quantiles((entry.ended - entry.begun for entry in history), n=100)[98]


@asynccontextmanager
async def source_of(mesh: System, user: str, last_id: str | None = None) -> AsyncIterator[EventSource]:
    async with (
        httpx.AsyncClient(base_url=mesh.edge_url, headers=as_user(user)) as client,
        event_source(client, last_id) as source,
    ):
        yield source


async def two_titles(source: EventSource) -> dict[str, str]:
    """The titles in the next two events, by the events' names."""
    events = [await source.next(within=30) for _ in range(2)]
    return {event.name: event.data["title"] for event in events}


@asynccontextmanager
async def watched_health(target: str, service: str) -> AsyncIterator[Any]:
    """An open Health.Watch that has told the first state."""
    async with grpc.aio.insecure_channel(target) as channel:
        call = health_of(channel).Watch(health_pb2.HealthCheckRequest(service=service))
        await call.read()
        yield call


@contextmanager
def lazy_clients(mesh: System, user: str, count: int) -> Iterator[list[socket.socket]]:
    """Connections that ask for events and never read a byte of them."""
    request = head("GET", "/api/v1/events", user)
    with ExitStack() as stack:
        clients = []
        for _ in range(count):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIB)
            client.connect(("127.0.0.1", mesh.edge_port))
            client.sendall(request)
            clients.append(client)
        yield clients


async def test_an_edge_that_is_stopped_ends_500_streams_cleanly_and_they_come_back_at_different_times(
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
        "fault", f"A13     SIGTERM edge_api with 500 open streams: gone after {seconds:.1f} s, spread over {spread} ms"
    )

    assert ended == [True] * 500
    assert status == 0
    assert seconds <= 10
    assert spread >= 3_000
    assert not any(word in mesh.edge.output() for word in ("Task was destroyed", "Traceback", '"level": "error"'))


@pytest.mark.parametrize("module", ["task_svc", "notify_svc"])
async def test_a_service_that_is_stopped_ends_its_streams_and_watchers_at_the_edge_only_notice_a_pause(
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
    record_property("fault", f"A13     SIGTERM {module} with an open Health.Watch: gone after {seconds:.1f} s")

    assert states == [health_pb2.HealthCheckResponse.NOT_SERVING]
    assert (code, status) == (grpc.StatusCode.OK, 0)
    assert seconds <= 10
    assert seen == {"task.created": "after the stop", "notification": "after the stop"}


async def test_2000_idle_watchers_cost_little_memory_one_stream_and_no_time(
    mesh: System, record_property: Record
) -> None:
    await mesh.start()
    edge = psutil.Process(mesh.edge.pid)
    alone, seconds_alone = await creates_and_edge_seconds(mesh, edge, first=0)
    before = edge.memory_info().rss
    async with watched(mesh.edge_port, [f"idle-{number}" for number in range(2_000)]) as opened:
        each = (edge.memory_info().rss - before) / len(opened)
        together, seconds_together = await creates_and_edge_seconds(mesh, edge, first=300)
        record_property(
            "fault",
            f"F2      2,000 idle watchers: {each / KIB:.0f} KiB each at the edge; "
            f"p99 of creates {p99(alone) * 1000:.0f} ms without them, {p99(together) * 1000:.0f} ms with them",
        )

        assert await watchers(mesh) == 2 * len(opened)
        assert not any(stream.ended.done() for stream in opened)
        assert each <= 64 * KIB
        assert (await watchers(mesh, "task_svc"), await watchers(mesh, "notify_svc")) == (1, 1)
        assert [entry.outcome for entry in together] == ["ok"] * 300
        # Processor time, for the time that passes is the whole machine's.
        assert seconds_together <= 1.5 * seconds_alone
        soft, _ = edge.rlimit(psutil.RLIMIT_NOFILE)
        assert soft >= 12_000
    await watchers_become(mesh, 0)


async def test_300_watchers_that_do_not_read_are_let_go_in_bounded_memory_and_hold_up_nobody(
    mesh: System, record_property: Record
) -> None:
    await mesh.start()
    async with source_of(mesh, "bob") as quick:
        before = psutil.Process(mesh.edge.pid).memory_info().rss
        peak = before
        with lazy_clients(mesh, "ann", 300):
            await watchers_become(mesh, 602)
            begun = now()
            async with httpx.AsyncClient(base_url=mesh.edge_url, headers=as_user("ann")) as client:
                task = {"title": "large", "description": "x" * 10_000}
                async with asyncio.timeout(60):
                    while await watchers(mesh) > 2:
                        assert (await client.post("/api/v1/tasks", json=task)).status_code == 201
                        peak = max(peak, psutil.Process(mesh.edge.pid).memory_info().rss)
            seconds = now() - begun
            await create(mesh, "bob", "for those who read")
            assert (await quick.next()).data["title"] == "for those who read"
    growth = (peak - before) / MIB
    record_property(
        "fault", f"F3      300 watchers that do not read: let go after {seconds:.0f} s, edge_api +{growth:.0f} MiB"
    )

    assert peak - before <= 64 * MIB
    assert mesh.edge.output().count("a client did not read its events") == 300


async def test_watchers_that_come_and_go_as_fast_as_they_can_leave_nothing_behind(
    mesh: System, record_property: Record
) -> None:
    await mesh.start()
    process = psutil.Process(mesh.edge.pid)

    async def come_and_go(count: int) -> None:
        async with watched(mesh.edge_port, [f"user-{number}" for number in range(count)]):
            pass

    await come_and_go(100)
    await watchers_become(mesh, 0)
    files, memory, begun = process.num_fds(), process.memory_info().rss, now()
    for _ in range(30):
        await come_and_go(100)
    rate = 3_000 / (now() - begun)
    await watchers_become(mesh, 0)

    async def files_are_closed() -> bool:
        return process.num_fds() <= files

    await eventually(files_are_closed)
    growth = (process.memory_info().rss - memory) / MIB
    record_property(
        "fault", f"F4      3,000 watchers that came and went, {rate:.0f} a second: files as before, +{growth:.0f} MiB"
    )

    assert growth <= 32
    assert (await watchers(mesh, "task_svc"), await watchers(mesh, "notify_svc")) == (1, 1)
