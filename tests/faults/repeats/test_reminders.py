"""Reminders over restarts and over a queue that came back empty: one for each due_time, whatever happens between."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.harness.system import System, as_user, system
from tests.support.eventually import eventually

pytestmark = pytest.mark.faults

TASKS = 20
A_WEEK = str(7 * 24 * 3600)


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[System]:
    """With a lead of a week, what is due tomorrow is to be reminded of at once."""
    with system(tmp_path / "mesh", TASK_REMINDER_LEAD_SECONDS=A_WEEK) as running:
        yield running


async def create_due_tomorrow(mesh: System) -> list[dict[str, Any]]:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    async with httpx.AsyncClient(base_url=mesh.edge_url, headers=as_user("ann")) as client:
        answers = await asyncio.gather(
            *(
                client.post("/api/v1/tasks", json={"title": f"Task {number}", "due_time": tomorrow})
                for number in range(TASKS)
            )
        )
    assert {answer.status_code for answer in answers} == {201}
    return [answer.json() for answer in answers]


async def reminded(mesh: System) -> Counter[str]:
    """How often the user was reminded of each task."""
    async with httpx.AsyncClient(base_url=mesh.edge_url, headers=as_user("ann")) as client:
        page = (await client.get("/api/v1/notifications", params={"page_size": 200})).json()
    return Counter(each["task_id"] for each in page["notifications"] if each["kind"] == "TASK_DUE")


async def at_rest(mesh: System) -> bool:
    return mesh.outbox() == 0


async def test_each_task_is_reminded_of_once_though_both_services_are_killed(mesh: System) -> None:
    await mesh.start()
    tasks = await create_due_tomorrow(mesh)
    for process in (mesh.task, mesh.notify):
        process.kill()
        process.start()
    await mesh.ready()
    await eventually(lambda: at_rest(mesh), within=60)
    assert await reminded(mesh) == {task["id"]: 1 for task in tasks}


async def test_reminders_that_are_owed_survive_a_queue_that_comes_back_empty(mesh: System) -> None:
    await mesh.start()
    mesh.notify.kill()
    tasks = await create_due_tomorrow(mesh)

    async def all_published() -> bool:
        numbers = await mesh.metrics("task_svc")
        return numbers["outbox_pending"] == 0 and numbers["outbox_unconfirmed"] == 2 * TASKS

    await eventually(all_published, within=30)
    mesh.valkey.clear()
    mesh.notify.start()
    await mesh.ready()
    await eventually(lambda: at_rest(mesh), within=60)
    assert await reminded(mesh) == {task["id"]: 1 for task in tasks}


async def test_a_task_that_is_done_before_the_notifier_is_back_is_not_reminded_of(mesh: System) -> None:
    await mesh.start()
    mesh.notify.kill()
    tasks = await create_due_tomorrow(mesh)

    async def all_published() -> bool:
        return (await mesh.metrics("task_svc"))["outbox_unconfirmed"] == 2 * TASKS

    await eventually(all_published, within=30)
    async with httpx.AsyncClient(base_url=mesh.edge_url, headers=as_user("ann")) as client:
        for task in tasks[:5]:
            answer = await client.patch(f"/api/v1/tasks/{task['id']}", json={"status": "DONE"})
            assert answer.status_code == 200
    mesh.notify.start()
    await mesh.ready()
    await eventually(lambda: at_rest(mesh), within=60)
    assert await reminded(mesh) == {task["id"]: 1 for task in tasks[5:]}
