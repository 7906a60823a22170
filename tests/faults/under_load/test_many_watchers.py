"""Thousands of watchers that are idle, do not read, or connect and disconnect constantly (rows F2, F3, F4)."""

import asyncio
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from chassis.feed.watcher import HEARTBEAT_SECONDS
from edge_api.server import raise_file_limit
from tests.faults.harness.load import Entry, Load, p99
from tests.faults.harness.report import Record
from tests.faults.harness.system import SPARE_CONNECTIONS, System, as_user, now, system
from tests.faults.harness.watchers import create, source_of, watchers, watchers_become
from tests.support.edge_api.light_client import head, watched
from tests.support.eventually import eventually

KIB, MIB = 1024, 1024 * 1024
IDLE, LAZY, AT_ONCE = 10_000, 1_000, 100
COME_AND_GO_SECONDS = 60
A_TICK = 0.02  # the time that a busy machine adds to a call of a few milliseconds, in seconds


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[System]:
    with system(tmp_path / "mesh", EDGE_MAX_WATCHERS_PER_USER="2000") as running:
        yield running


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[System]:
    """A mesh without watchers, for comparison."""
    with system(tmp_path / "quiet") as running:
        yield running


def allow_files(count: int) -> None:
    """Allow this process to open `count` files. Skip the test if the system does not permit it."""
    raise_file_limit(count)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        pytest.skip(f"needs {count} open files, but the limit is {soft}")


async def creates_side_by_side(*meshes: System) -> list[list[Entry]]:
    """Send the same creates to several meshes at the same time, and return the histories."""
    return await asyncio.gather(*(Load(mesh.edge_url, creates=1_000, clients=5, rate=25).run() for mesh in meshes))


async def full_collections(mesh: System) -> float:
    """Return the number of full garbage collections at the edge."""
    return (await mesh.edge.metrics(generation="2"))["python_gc_collections_total"]


@contextmanager
def lazy_clients(mesh: System, user: str, count: int) -> Iterator[list[socket.socket]]:
    """Open connections that request the event stream and never read from it."""
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


@pytest.mark.faults
async def test_10_000_idle_watchers_need_little_memory_and_one_stream_and_do_not_slow_creates(
    mesh: System, quiet: System, record_property: Record
) -> None:
    allow_files(IDLE + 1_000)
    await asyncio.gather(mesh.start(), quiet.start())
    edge = psutil.Process(mesh.edge.pid)
    await asyncio.gather(*(Load(each.edge_url, creates=200, first=1_000).run() for each in (quiet, mesh)))
    before, collected = edge.memory_info().rss, await full_collections(mesh)
    async with watched(mesh.edge_port, [f"idle-{number}" for number in range(IDLE)]) as opened:
        each = (edge.memory_info().rss - before) / IDLE
        begun = now()
        without, together = await creates_side_by_side(quiet, mesh)
        ratio = p99(together) / p99(without)

        async def all_have_received() -> bool:
            return all(stream.heard > begun for stream in opened)

        await eventually(all_have_received)
        silence = max(stream.silence for stream in opened)
        record_property(
            "fault",
            f"F2      {IDLE:,} idle watchers: {each / KIB:.0f} KiB each at the edge, one stream to each service, "
            f"a heartbeat every {silence:.1f} s; p99 of creates {p99(together) * 1000:.0f} ms, "
            f"{ratio:.1f} times that of a mesh without them",
        )

        assert await watchers(mesh) == 2 * IDLE
        assert not any(stream.ended.done() for stream in opened)
        assert each <= 64 * KIB
        assert (await watchers(mesh, "task_svc"), await watchers(mesh, "notify_svc")) == (1, 1)
        assert {entry.outcome for entry in together} == {"ok"}
        assert p99(together) <= 1.5 * p99(without) + A_TICK
        assert await full_collections(mesh) == collected  # each one would stop the edge for a second
        assert silence <= HEARTBEAT_SECONDS + 1  # one test client reads all streams, some of them late
        assert edge.num_fds() < edge.rlimit(psutil.RLIMIT_NOFILE)[0]
    await watchers_become(mesh, 0)


@pytest.mark.faults
async def test_1000_watchers_that_do_not_read_are_disconnected_in_bounded_memory(
    mesh: System, record_property: Record
) -> None:
    await mesh.start()
    async with source_of(mesh, "bob") as quick:
        before = psutil.Process(mesh.edge.pid).memory_info().rss
        peak = before
        with lazy_clients(mesh, "ann", LAZY):
            await watchers_become(mesh, 2 * (LAZY + 1))
            begun = now()
            async with httpx.AsyncClient(base_url=mesh.edge_url, headers=as_user("ann")) as client:
                task = {"title": "large", "description": "x" * 10_000}
                async with asyncio.timeout(120):
                    while await watchers(mesh) > 2:
                        assert (await client.post("/api/v1/tasks", json=task)).status_code == 201
                        peak = max(peak, psutil.Process(mesh.edge.pid).memory_info().rss)
            seconds = now() - begun
            await create(mesh, "bob", "for active watchers")
            assert (await quick.next()).data["title"] == "for active watchers"
    growth = (peak - before) / MIB
    record_property(
        "fault",
        f"F3      {LAZY:,} watchers that do not read: disconnected after {seconds:.0f} s, edge_api +{growth:.0f} MiB",
    )

    assert peak - before <= 96 * KIB * LAZY
    assert mesh.edge.output().count("event stream aborted, client does not read") == LAZY


@pytest.mark.faults
async def test_watchers_that_connect_and_disconnect_constantly_leak_nothing(
    mesh: System, record_property: Record
) -> None:
    await mesh.start()
    process = psutil.Process(mesh.edge.pid)

    async def come_and_go() -> None:
        async with watched(mesh.edge_port, [f"user-{number}" for number in range(AT_ONCE)]):
            pass

    async def tasks() -> float:
        return (await mesh.metrics("edge_api"))["asyncio_tasks"]

    await come_and_go()
    await watchers_become(mesh, 0)
    files, memory, before, begun = process.num_fds(), process.memory_info().rss, await tasks(), now()
    garbage = (await mesh.edge.metrics())["python_gc_objects_collected_total"]
    came = 0
    while now() - begun < COME_AND_GO_SECONDS:
        await come_and_go()
        came += AT_ONCE
    rate = came / (now() - begun)
    await watchers_become(mesh, 0)

    async def is_as_before() -> bool:
        return process.num_fds() <= files + SPARE_CONNECTIONS and await tasks() <= before

    await eventually(is_as_before)
    growth = (process.memory_info().rss - memory) / MIB
    record_property(
        "fault",
        f"F4      {came:,} watchers connected and disconnected, {rate:.0f} per second: {process.num_fds() - files:+d} "
        f"files, asyncio tasks unchanged, +{growth:.0f} MiB",
    )

    assert growth <= 32
    assert (await mesh.edge.metrics())[
        "python_gc_objects_collected_total"
    ] - garbage < came  # the rest was freed by reference counting
    assert (await watchers(mesh, "task_svc"), await watchers(mesh, "notify_svc")) == (1, 1)
