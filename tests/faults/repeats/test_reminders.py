"""Reminders after restarts and after the queue restarts empty: exactly one for each due_time."""

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
    """A mesh with a reminder lead of a week, so that tasks due tomorrow are reminded of immediately."""
    with system(tmp_path / "mesh", TASK_REMINDER_LEAD_SECONDS=A_WEEK) as running:
        yield running


async def create_due_tomorrow(mesh: System) -> list[dict[str, Any]]:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    async with httpx.AsyncClient(base_url=mesh.edge_url, headers=as_user("ann")) as client:
        responses = await asyncio.gather(
            *(
                client.post("/api/v1/tasks", json={"title": f"Task {number}", "due_time": tomorrow})
                for number in range(TASKS)
            )
        )
    assert {response.status_code for response in responses} == {201}
    return [response.json() for response in responses]


async def reminded(mesh: System) -> Counter[str]:
    """Return the number of reminders of each task."""
    async with httpx.AsyncClient(base_url=mesh.edge_url, headers=as_user("ann")) as client:
        page = (await client.get("/api/v1/notifications", params={"page_size": 200})).json()
    return Counter(each["task_id"] for each in page["notifications"] if each["kind"] == "TASK_DUE")


async def is_drained(mesh: System) -> bool:
    return mesh.outbox() == 0


async def test_each_task_has_one_reminder_after_both_services_are_killed(mesh: System) -> None:
    await mesh.start()
    tasks = await create_due_tomorrow(mesh)
    for process in (mesh.task, mesh.notify):
        process.kill()
        process.start()
    await mesh.ready()
    await eventually(lambda: is_drained(mesh), within=60)
    assert await reminded(mesh) == {task["id"]: 1 for task in tasks}


async def test_reminders_arrive_after_the_queue_restarts_empty(mesh: System) -> None:
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
    await eventually(lambda: is_drained(mesh), within=60)
    assert await reminded(mesh) == {task["id"]: 1 for task in tasks}


async def test_a_task_completed_before_the_notifier_is_back_has_no_reminder(mesh: System) -> None:
    await mesh.start()
    mesh.notify.kill()
    tasks = await create_due_tomorrow(mesh)

    async def all_published() -> bool:
        return (await mesh.metrics("task_svc"))["outbox_unconfirmed"] == 2 * TASKS

    await eventually(all_published, within=30)
    async with httpx.AsyncClient(base_url=mesh.edge_url, headers=as_user("ann")) as client:
        for task in tasks[:5]:
            response = await client.patch(f"/api/v1/tasks/{task['id']}", json={"status": "DONE"})
            assert response.status_code == 200
    mesh.notify.start()
    await mesh.ready()
    await eventually(lambda: is_drained(mesh), within=60)
    assert await reminded(mesh) == {task["id"]: 1 for task in tasks[5:]}
