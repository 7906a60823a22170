"""MongoDB killed under load, temporarily unavailable, and not running at the start (rows A1, B4)."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.harness.checker import check
from tests.faults.harness.load import KILLS, Load, while_killed
from tests.faults.harness.report import Report
from tests.faults.harness.system import System, as_user, now, system
from tests.support.eventually import eventually
from tests.support.task_svc.mongo import Nx27017

WITHIN = 3.0
DRAIN_SECONDS = 10


@pytest.fixture
def store(tmp_path: Path) -> Nx27017:
    return Nx27017(tmp_path / "nx-27017")


@pytest.fixture
def mesh(tmp_path: Path, store: Nx27017) -> Iterator[System]:
    with system(tmp_path / "mesh", mongo=store) as running:
        yield running


@pytest.mark.faults
async def test_no_acknowledged_task_is_lost_when_the_store_is_killed_under_load(
    mesh: System, store: Nx27017, report: Report
) -> None:
    await mesh.start()
    history = await while_killed(mesh.edge_url, store.restart)
    verdict = await check(mesh, history, repeats_allowed=KILLS * 200)
    report("A1", f"kill -9 the store {KILLS} times under load", verdict)

    assert verdict.acknowledged == len({entry.key for entry in history})
    assert {entry.status for entry in history if entry.outcome == "unknown"} <= {503}
    assert max(entry.ended - entry.begun for entry in history) <= WITHIN


@pytest.mark.faults
async def test_calls_fail_fast_while_the_store_is_unavailable_and_only_readiness_fails(
    mesh: System, store: Nx27017, report: Report
) -> None:
    await mesh.start()
    before = await Load(mesh.edge_url, creates=20).run()
    store.kill()
    async with httpx.AsyncClient(base_url=mesh.edge_url, headers=as_user("ann"), timeout=10) as client:

        async def readiness(status: int) -> None:
            async def has_status() -> bool:
                return (await client.get("/readyz")).status_code == status

            await eventually(has_status, within=10)

        path = f"/api/v1/tasks/{next(entry.task_id for entry in before if entry.user == 'ann')}"
        calls = [("GET", "/api/v1/tasks", None), ("GET", path, None), ("PATCH", path, {"title": "Other"})]
        for method, target, body in calls * 3:
            begun = now()
            response = await client.request(method, target, json=body)
            assert now() - begun <= WITHIN
            assert response.status_code == 503
            assert response.json()["reason"] == "STORE_UNAVAILABLE"
            assert "retry-after" in response.headers
        meanwhile = await Load(mesh.edge_url, creates=100, first=20).run()
        await readiness(503)
        assert (await client.get("/healthz")).status_code == 200
        await asyncio.to_thread(store.start)
        await readiness(200)
    after = await Load(mesh.edge_url, creates=20, first=120).run()
    verdict = await check(mesh, before + meanwhile + after)
    report("B4", "the store down during 100 creates, then restarted", verdict)

    assert {entry.status for entry in meanwhile} == {503}
    assert max(entry.ended - entry.begun for entry in meanwhile) <= WITHIN
    assert {entry.outcome for entry in after} == {"ok"}


async def test_a_service_that_starts_before_the_store_waits_for_it_and_can_be_stopped(
    mesh: System, store: Nx27017
) -> None:
    async def is_not_ready() -> bool:
        return bool(mesh.task.lines("not ready"))

    mesh.task.start()
    await eventually(is_not_ready, within=20)
    mesh.task.send(signal.SIGTERM)
    assert await asyncio.to_thread(mesh.task.wait) == 0

    mesh.task.start()
    await asyncio.to_thread(store.start)
    await mesh.task_serves()


@pytest.mark.faults
async def test_a_service_whose_store_hangs_ends_within_its_grace(mesh: System, store: Nx27017) -> None:
    await mesh.start()
    await Load(mesh.edge_url, creates=20).run()
    store.send(signal.SIGSTOP)
    meanwhile = asyncio.create_task(Load(mesh.edge_url, creates=100, first=20).run())

    async def is_not_ready() -> bool:
        return bool(mesh.task.lines("not ready"))

    await eventually(is_not_ready, within=20)
    begun = now()
    mesh.task.send(signal.SIGTERM)
    assert await asyncio.to_thread(mesh.task.wait) == 0
    assert now() - begun <= 2 * DRAIN_SECONDS
    await meanwhile


async def test_an_invalid_store_url_stops_the_service_without_logging_the_password(tmp_path: Path) -> None:
    with system(tmp_path / "mesh", TASK_STORE_URL="mongodb://ann:sec/ret@127.0.0.1/tasks") as mesh:
        mesh.task.start()
        assert await asyncio.to_thread(mesh.task.wait) == 1

    (line,) = mesh.task.output().splitlines()
    assert line.startswith("cannot use the MongoDB URL in TASK_STORE_URL")
    assert "sec" not in line
