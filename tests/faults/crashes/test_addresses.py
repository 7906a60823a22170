"""A service moves to another address, and another service gets its old one (row B14).

The addresses are loopback addresses: Linux accepts all of 127.0.0.0/8.
"""

import asyncio
from pathlib import Path

import psutil
import pytest

from tests.faults.harness.checker import check
from tests.faults.harness.load import Load
from tests.faults.harness.report import Report
from tests.faults.harness.system import Process, now, system
from tests.support.holding import until
from tests.support.name_server import name_server

NAME, OLD, NEW = "task-svc", "127.0.0.2", "127.0.0.3"


@pytest.mark.faults
async def test_clients_find_a_service_at_its_new_address_when_another_service_has_its_old_one(
    tmp_path: Path, report: Report
) -> None:
    async with name_server() as names:
        with system(tmp_path / "mesh", replicas=2) as mesh:
            moved, task = mesh.task_replicas
            notify, other = mesh.notify_replicas
            target = f"dns://127.0.0.1:{names.port}/{NAME}:{task.port}"
            names.addresses[NAME] = OLD
            await asyncio.to_thread(mesh.valkey.start)
            task.start(TASK_GRPC_HOST=OLD)
            notify.start(TASK_GRPC_TARGET=target)
            mesh.edge.start(TASK_GRPC_TARGET=target)
            await mesh.ready()
            load = Load(mesh.edge_url, creates=100_000, rate=25, retry_for=60)
            running = asyncio.create_task(load.run())
            await load.reached(50)
            task.kill()
            other.start(NOTIFY_GRPC_HOST=OLD, NOTIFY_GRPC_PORT=str(task.port), TASK_GRPC_TARGET=target)
            await until(lambda: is_connected(mesh.edge, OLD), within=20)
            await load.reached(len(load.history) + 1_000)  # by now no DNS lookup is in progress
            moved.start(TASK_GRPC_HOST=NEW, TASK_GRPC_PORT=str(task.port))
            names.addresses[NAME] = NEW
            begun = now()
            await until(lambda: any(each.begun > begun and each.outcome == "ok" for each in load.history), within=60)
            seconds = now() - begun
            load.stop()
            history = await running
            verdict = await check(mesh, history, repeats_allowed=200)
            moves = "the task service moves to another address, a notifier gets its old one"
            report("B14", f"{moves}, recovered after {seconds:.1f} s", verdict)

    assert {entry.status for entry in history if entry.outcome == "unknown"} <= {503, 504}
    assert verdict.acknowledged == len({entry.key for entry in history})
    assert seconds <= 40


def is_connected(process: Process, host: str) -> bool:
    """Return whether a process has a connection to a host, over IPv4 or with an IPv4-mapped IPv6 address."""
    connections = psutil.Process(process.pid).net_connections("tcp")
    established = [each.raddr for each in connections if each.status == psutil.CONN_ESTABLISHED]
    return any(to.ip in (host, f"::ffff:{host}") for to in established)
