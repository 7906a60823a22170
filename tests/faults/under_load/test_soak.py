"""A minute of load at half of the maximum, with clients that disconnect (row F5, shortened)."""

import asyncio
import contextlib
from collections.abc import Callable

import httpx
import psutil
import pytest

from tests.faults.harness.load import Load
from tests.faults.harness.system import SPARE_CONNECTIONS, System, as_user
from tests.support.eventually import eventually

MIB = 1024 * 1024
SECONDS = 60
MODULES = ("edge_api", "task_svc", "notify_svc")


async def open_tasks(mesh: System, module: str) -> float:
    return (await mesh.metrics(module))["asyncio_tasks"]


async def disconnect_repeatedly(mesh: System) -> None:
    async with httpx.AsyncClient(base_url=mesh.edge_url, headers=as_user("ann")) as client:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.002):
                    await client.get("/api/v1/tasks")
            await asyncio.sleep(0.5)


@pytest.mark.faults
async def test_a_minute_of_load_with_disconnecting_clients_leaks_no_memory_and_no_files(
    mesh: System, record_property: Callable[[str, object], None]
) -> None:
    await mesh.start()
    processes = [psutil.Process(each.pid) for each in (mesh.edge, mesh.task, mesh.notify)]
    disconnecting = asyncio.create_task(disconnect_repeatedly(mesh))
    await Load(mesh.edge_url, creates=40 * 30, rate=40).run()  # until caches and pools have their full size
    before = [(each.memory_info().rss, each.num_fds()) for each in processes]
    tasks = [await open_tasks(mesh, module) for module in MODULES]
    history = await Load(mesh.edge_url, creates=40 * SECONDS, first=10_000, rate=40).run()
    disconnecting.cancel()

    async def all_is_closed() -> bool:
        more = [each.num_fds() - files for each, (_, files) in zip(processes, before, strict=True)]
        now_open = [await open_tasks(mesh, module) for module in MODULES]
        return max(more) <= SPARE_CONNECTIONS and all(now <= then for now, then in zip(now_open, tasks, strict=True))

    await eventually(all_is_closed)
    after = [(each.memory_info().rss, each.num_fds()) for each in processes]
    growth = [(now[0] - then[0]) / MIB for then, now in zip(before, after, strict=True)]
    files = [now[1] - then[1] for then, now in zip(before, after, strict=True)]
    record_property(
        "fault",
        f"F5      {SECONDS} s of 40 creates per second: {max(growth):+.0f} MiB, {max(files):+d} files, "
        "asyncio tasks unchanged",
    )

    assert {entry.outcome for entry in history} == {"ok"}
    assert max(growth) <= 16
