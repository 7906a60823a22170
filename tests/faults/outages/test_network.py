"""A slow, unresponsive or interrupted network to the queue and to the store (rows B2, B5, B6, B7)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.harness.checker import check
from tests.faults.harness.load import Entry, Load
from tests.faults.harness.report import Report
from tests.faults.harness.system import System, now, system
from tests.support.eventually import eventually
from tests.support.task_svc.mongo import Nx27017
from tests.support.tcp_proxy import TcpProxy

pytestmark = pytest.mark.faults


@pytest.fixture
async def before_queue(tmp_path: Path) -> AsyncIterator[tuple[System, TcpProxy]]:
    proxy = TcpProxy()
    with system(tmp_path / "mesh", REDIS_URL=f"redis://127.0.0.1:{proxy.port}/0") as mesh:
        async with proxy.before(mesh.valkey.port):
            yield mesh, proxy


@pytest.fixture
async def before_store(tmp_path: Path) -> AsyncIterator[tuple[System, TcpProxy]]:
    proxy, store = TcpProxy(), Nx27017(tmp_path / "nx-27017")
    with system(tmp_path / "mesh", mongo=store, TASK_STORE_URL=f"mongodb://127.0.0.1:{proxy.port}/tasks") as mesh:
        async with proxy.before(store.port):
            yield mesh, proxy


def slowest(history: list[Entry]) -> float:
    return max(entry.ended - entry.begun for entry in history)


async def test_an_unresponsive_queue_is_detected_and_creates_succeed(
    before_queue: tuple[System, TcpProxy], report: Report
) -> None:
    mesh, proxy = before_queue
    await mesh.start()
    proxy.fall_silent()
    begun = now()
    history = await Load(mesh.edge_url, creates=100).run()

    async def both_have_detected() -> bool:
        return bool(mesh.task.lines("background job failed") and mesh.notify.lines("background job failed"))

    await eventually(both_have_detected, within=20)
    detected = now() - begun
    proxy.go_on()
    verdict = await check(mesh, history, repeats_allowed=200)
    report("B2", f"the queue unresponsive without a reset; both services detected it within {detected:.1f} s", verdict)

    assert {entry.outcome for entry in history} == {"ok"}
    assert verdict.notifications == 100


async def test_creates_succeed_with_500_ms_latency_to_the_store(
    before_store: tuple[System, TcpProxy], report: Report
) -> None:
    mesh, proxy = before_store
    await mesh.start()
    proxy.delay_seconds = 0.25
    history = await Load(mesh.edge_url, creates=60, clients=10).run()
    proxy.delay_seconds = 0
    verdict = await check(mesh, history)
    report("B5", f"500 ms latency to the store; the slowest of 60 creates took {slowest(history):.1f} s", verdict)

    assert {entry.outcome for entry in history} == {"ok"}
    assert "PoolCleared" not in mesh.task.output()


async def test_10_s_latency_to_the_store_fails_and_recovers_quickly(
    before_store: tuple[System, TcpProxy], report: Report
) -> None:
    mesh, proxy = before_store
    await mesh.start()
    proxy.delay_seconds = 5
    late = await Load(mesh.edge_url, creates=40).run()
    proxy.delay_seconds = 0
    back = now()
    after = await Load(mesh.edge_url, creates=40, first=40, retry_for=30).run()
    recovered = min(entry.ended for entry in after if entry.outcome == "ok") - back
    verdict = await check(mesh, late + after)
    report("B6", f"10 s latency to the store during 40 creates; recovered after {recovered:.1f} s", verdict)

    assert {entry.status for entry in late} <= {503, 504}
    assert slowest(late) <= 7
    assert recovered <= 10


async def test_a_truncated_reply_of_the_store_creates_no_second_task(
    before_store: tuple[System, TcpProxy], report: Report
) -> None:
    mesh, proxy = before_store
    await mesh.start()
    load = Load(mesh.edge_url, creates=200, retry_for=30)
    running = asyncio.create_task(load.run())
    for _ in range(5):
        proxy.replies_to_cut = 4

        async def are_cut() -> bool:
            return proxy.replies_to_cut == 0 or running.done()

        await eventually(are_cut, within=30)
    history = await running
    proxy.replies_to_cut = 0
    verdict = await check(mesh, history, repeats_allowed=200)
    report("B7", "20 truncated replies of the store", verdict)

    assert verdict.acknowledged == load.creates
