"""The service filters and orders tasks as the page does.

The page inserts tasks from live events into its lists itself. This test and web/src/lib/filters/listing.test.ts check
both against the same table of cases.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from edge_api.schemas import convert, requests
from task_svc.domain import Priority, Status, Task, TaskFields
from task_svc.grpc_api.list_request import ListRequest
from task_svc.repository import TaskRepository
from task_svc.sqlite import store as sqlite
from tests import ROOT
from tests.support.task_svc.tasks import creation

CASES = json.loads((ROOT / "web/src/lib/filters/listing.cases.json").read_text())


async def test_the_service_lists_what_the_page_lists(tmp_path: Path) -> None:
    async with sqlite.open_store(tmp_path / "tasks.db") as store:
        for case in CASES["tasks"]:
            await store.insert(creation(_task(case)))
        listed = [{"query": case["query"], "ids": await _ids_of(store, case["query"])} for case in CASES["listings"]]
    assert listed == CASES["listings"]


async def _ids_of(store: TaskRepository, parameters: dict[str, Any]) -> list[str]:
    ids: list[str] = []
    token = ""
    while True:
        asked = requests.ListTasksQuery.model_validate({**parameters, "page_size": 3, "page_token": token})
        query = ListRequest.from_proto(convert.list_request_of(asked), "ann")
        page = query.answer(await store.list("ann", query.criteria, query.order, query.after, query.limit), "ann")
        ids += [task.id for task in page.tasks]
        token = page.next_page_token
        if not token:
            return ids


def _task(case: dict[str, Any]) -> Task:
    return Task(
        id=case["id"],
        owner="ann",
        fields=TaskFields(
            title=case["title"],
            description=case.get("description", ""),
            status=Status[case.get("status", "TODO")],
            priority=Priority[case.get("priority", "MEDIUM")],
            labels=tuple(case.get("labels", ())),
            due_time=_time(case, "due_time"),
        ),
        create_time=datetime.fromisoformat(case["create_time"]),
        update_time=datetime.fromisoformat(case["update_time"]),
        delete_time=_time(case, "delete_time"),
    )


def _time(case: dict[str, Any], name: str) -> datetime | None:
    return datetime.fromisoformat(case[name]) if name in case else None
