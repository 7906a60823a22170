"""A network that is slow, silent or cut, before the queue and before the store: FAULTS' B2, B5, B6, B7."""

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


async def test_a_queue_that_falls_silent_is_noticed_and_creates_go_on(
    before_queue: tuple[System, TcpProxy], report: Report
) -> None:
    mesh, proxy = before_queue
    await mesh.start()
    proxy.fall_silent()
    begun = now()
    history = await Load(mesh.edge_url, creates=100).run()

    async def both_have_noticed() -> bool:
        return bool(mesh.task.lines("background job failed") and mesh.notify.lines("background job failed"))

    await eventually(both_have_noticed, within=20)
    noticed = now() - begun
    proxy.go_on()
    verdict = await check(mesh, history, repeats_allowed=200)
    report("B2", f"the queue silent, without a reset, until both had noticed after {noticed:.1f} s", verdict)

    assert {entry.outcome for entry in history} == {"ok"}
    assert verdict.notifications == 100


async def test_a_store_that_is_half_a_second_away_still_serves(
    before_store: tuple[System, TcpProxy], report: Report
) -> None:
    mesh, proxy = before_store
    await mesh.start()
    proxy.delay_seconds = 0.25
    history = await Load(mesh.edge_url, creates=60, clients=10).run()
    proxy.delay_seconds = 0
    verdict = await check(mesh, history)
    report("B5", f"the store 500 ms away; the slowest of 60 creates took {slowest(history):.1f} s", verdict)

    assert {entry.outcome for entry in history} == {"ok"}
    assert "PoolCleared" not in mesh.task.output()


async def test_a_store_that_is_ten_seconds_away_is_an_error_soon_and_forgotten_when_it_is_back(
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
    report("B6", f"the store 10 s away during 40 creates; served again after {recovered:.1f} s", verdict)

    assert {entry.status for entry in late} <= {503, 504}
    assert slowest(late) <= 7
    assert recovered <= 10


async def test_a_reply_of_the_store_that_is_cut_makes_no_second_task(
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
    report("B7", "20 of the store's replies cut in the middle", verdict)

    assert verdict.acknowledged == load.creates
