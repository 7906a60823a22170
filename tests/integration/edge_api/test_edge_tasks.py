"""The task operations of the edge: from REST to gRPC and back."""

import unicodedata
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from task.v1 import task_pb2

from chassis.errors import Unavailable
from edge_api.schemas import convert
from task_svc.convert import task_to_proto
from tests.support.edge_api.edge import Edge, as_user, edge_with_fakes
from tests.support.edge_api.fake_services import Fakes
from tests.support.task_svc.tasks import FIELDS, another, new_task

pytestmark = pytest.mark.asyncio(loop_scope="module")

TASKS = "/api/v1/tasks"
PATCH = {"Content-Type": "application/merge-patch+json"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served() -> AsyncIterator[tuple[Edge, Fakes]]:
    async with edge_with_fakes() as both:
        yield both


@pytest.fixture
def running(served: tuple[Edge, Fakes]) -> tuple[Edge, Fakes]:
    served[1].reset()
    return served


@pytest.fixture
def edge(running: tuple[Edge, Fakes]) -> Edge:
    return running[0]


@pytest.fixture
def fakes(running: tuple[Edge, Fakes]) -> Fakes:
    return running[1]


async def create(edge: Edge, **content: Any) -> dict[str, Any]:
    answer = await edge.client.post(TASKS, json={"title": "a task", **content})
    assert answer.status_code == 201, answer.text
    task: dict[str, Any] = answer.json()
    return task


async def test_a_created_task_has_a_location_an_etag_and_every_field(edge: Edge) -> None:
    answer = await edge.client.post(TASKS, json={"title": "Buy milk", "due_time": "2027-01-31T13:00:00.5+01:00"})
    task = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{TASKS}/{task['id']}"
    assert answer.headers["ETag"] == f'"{task["etag"]}"'
    assert task["due_time"] == "2027-01-31T12:00:00.500Z"
    assert (task["status"], task["priority"], task["owner"], task["revision"]) == ("TODO", "MEDIUM", "ada", 1)
    assert (task["description"], task["labels"], task["complete_time"], task["delete_time"]) == ("", [], None, None)
    assert (await edge.client.get(answer.headers["Location"])).json() == task


@pytest.mark.parametrize("field", FIELDS)
async def test_every_field_is_set_changed_and_cleared(edge: Edge, field: str) -> None:
    value = convert.task_answer(task_to_proto(new_task(**another(field))))[field]
    created = await create(edge, **{field: value})
    plain = await create(edge)
    assert created[field] == value != plain[field]

    async def patched(task: dict[str, Any], new: Any) -> dict[str, Any]:
        answer = await edge.client.patch(f"{TASKS}/{task['id']}", json={field: new}, headers=PATCH)
        changed: dict[str, Any] = answer.json()
        return changed

    assert (await patched(plain, value))[field] == value
    if plain[field] is None:
        assert (await patched(created, None))[field] is None


async def test_a_repeat_with_the_same_key_returns_the_same_task(edge: Edge) -> None:
    key = {"Idempotency-Key": "my key"}
    first = await edge.client.post(TASKS, json={"title": "once"}, headers=key)
    second = await edge.client.post(TASKS, json={"title": "once"}, headers=key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()


async def test_a_repeat_with_another_body_is_refused(edge: Edge) -> None:
    key = {"Idempotency-Key": "my key"}
    await edge.client.post(TASKS, json={"title": "once"}, headers=key)
    answer = await edge.client.post(TASKS, json={"title": "twice"}, headers=key)
    assert (answer.status_code, answer.json()["reason"]) == (422, "REQUEST_ID_REUSED")
    assert answer.json()["violations"][0]["field"] == "Idempotency-Key"


async def test_a_create_that_the_edge_retries_makes_one_task(edge: Edge, fakes: Fakes) -> None:
    fakes.tasks.behaviour.errors = [Unavailable("AWAY", "away"), Unavailable("AWAY", "away")]
    await create(edge)
    seen = fakes.tasks.behaviour.requests
    assert len(seen) == 3
    assert len({request.request_id for request in seen}) == 1
    assert seen[0].request_id


async def test_updates_and_deletes_are_never_retried(edge: Edge, fakes: Fakes) -> None:
    task = await create(edge)
    fakes.tasks.behaviour.requests.clear()
    fakes.tasks.behaviour.errors = [Unavailable("AWAY", "away"), Unavailable("AWAY", "away")]
    path = f"{TASKS}/{task['id']}"
    assert (await edge.client.patch(path, json={"title": "new"}, headers=PATCH)).status_code == 503
    assert (await edge.client.delete(path)).status_code == 503
    assert len(fakes.tasks.behaviour.requests) == 2


async def test_a_patch_changes_its_fields_and_null_clears(edge: Edge, fakes: Fakes) -> None:
    task = await create(edge, description="text", labels=["a"], due_time="2027-01-31T12:00:00Z")
    patch = {"title": "new", "description": None, "labels": None, "due_time": None, "priority": "URGENT"}
    answer = await edge.client.patch(f"{TASKS}/{task['id']}", json=patch, headers=PATCH)
    changed = answer.json()
    assert answer.status_code == 200
    assert answer.headers["ETag"] == '"r2"'
    assert (changed["title"], changed["description"], changed["labels"], changed["due_time"]) == ("new", "", [], None)
    assert changed["priority"] == "URGENT"
    request = fakes.tasks.behaviour.requests[-1]
    assert isinstance(request, task_pb2.UpdateTaskRequest)
    assert sorted(request.update_mask.paths) == ["description", "due_time", "labels", "priority", "title"]


async def test_an_empty_patch_changes_nothing(edge: Edge) -> None:
    task = await create(edge)
    answer = await edge.client.patch(f"{TASKS}/{task['id']}", json={})
    assert (answer.status_code, answer.json()) == (200, task)


async def test_a_stale_if_match_is_412_and_the_right_one_passes(edge: Edge) -> None:
    path = f"{TASKS}/{(await create(edge))['id']}"
    assert (await edge.client.patch(path, json={"title": "b"}, headers={"If-Match": '"r1"'})).status_code == 200
    stale = await edge.client.patch(path, json={"title": "c"}, headers={"If-Match": '"r1"'})
    assert (stale.status_code, stale.json()["reason"]) == (412, "ETAG_MISMATCH")
    assert (await edge.client.delete(path, headers={"If-Match": '"r1"'})).status_code == 412
    assert (await edge.client.delete(path, headers={"If-Match": "*"})).status_code == 204


@pytest.mark.parametrize("header", ['W/"r1"', '"r1", "r2"', "r1", '""', ""])
async def test_an_if_match_that_is_not_one_strong_etag_is_refused(edge: Edge, header: str) -> None:
    path = f"{TASKS}/{(await create(edge))['id']}"
    answer = await edge.client.delete(path, headers={"If-Match": header})
    assert (answer.status_code, answer.json()["violations"][0]["field"]) == (422, "If-Match")
    assert (await edge.client.get(path)).status_code == 200


async def test_head_responds_like_get_without_a_body(edge: Edge) -> None:
    path = f"{TASKS}/{(await create(edge))['id']}"
    for url, headers in (
        (path, {}),
        (path, {"If-None-Match": '"r1"'}),
        (f"{path}x", {}),
        (TASKS, {}),
        ("/healthz", {}),
        ("/api/openapi.json", {}),
    ):
        get, head = [await edge.client.request(method, url, headers=headers) for method in ("GET", "HEAD")]
        assert (head.status_code, head.content) == (get.status_code, b"")
        differing = {name for name in get.headers if head.headers.get(name) != get.headers[name]}
        assert differing <= {"date", "x-request-id"}


async def test_a_client_with_the_current_revision_gets_304(edge: Edge) -> None:
    path = f"{TASKS}/{(await create(edge))['id']}"
    for known in ('"r1"', 'W/"r1"', '"r9", W/"r1"', "*"):
        answer = await edge.client.get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.headers["ETag"], answer.content) == (304, '"r1"', b"")
    answer = await edge.client.get(path, headers={"If-None-Match": '"r2"'})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "private, no-cache")


async def test_a_deleted_task_is_returned_on_request_and_can_be_restored(edge: Edge) -> None:
    path = f"{TASKS}/{(await create(edge))['id']}"
    assert (await edge.client.delete(path)).status_code == 204
    assert (await edge.client.get(path)).status_code == 404
    assert (await edge.client.delete(path)).status_code == 404
    shown = await edge.client.get(path, params={"show_deleted": "true"})
    assert shown.json()["delete_time"].endswith("Z")
    assert (await edge.client.post(f"{path}:undelete")).json()["delete_time"] is None
    again = await edge.client.post(f"{path}:undelete")
    assert (again.status_code, again.json()["reason"]) == (409, "NOT_DELETED")


async def test_a_task_of_another_user_is_not_found(edge: Edge) -> None:
    path = f"{TASKS}/{(await create(edge))['id']}"
    absent = f"{TASKS}/01JD0000000000000000000000"
    for method in ("GET", "DELETE"):
        theirs = await edge.client.request(method, path, headers=as_user("eve"))
        nobodys = await edge.client.request(method, absent, headers=as_user("eve"))
        assert theirs.status_code == nobodys.status_code == 404
        assert theirs.json()["reason"] == nobodys.json()["reason"]
    assert (await edge.client.patch(path, json={}, headers=as_user("eve"))).status_code == 404
    assert (await edge.client.get(TASKS, headers=as_user("eve"))).json()["tasks"] == []


async def test_a_list_passes_every_filter_to_the_service(edge: Edge, fakes: Fakes) -> None:
    await create(edge)
    query = (
        "page_size=7&order_by=priority%20desc&statuses=TODO&statuses=DONE&priorities=HIGH&labels=a&labels=b"
        "&due_before=2027-01-01T00:00:00Z&due_after=2026-01-01T00:00:00Z&query=%F0%9F%A5%9B&show_deleted=true"
    )
    answer = await edge.client.get(f"{TASKS}?{query}")
    assert answer.status_code == 200
    assert answer.json()["next_page_token"] == ""
    request = fakes.tasks.behaviour.requests[-1]
    assert (request.page_size, request.order_by, request.query) == (7, "priority desc", "🥛")
    assert (list(request.statuses), list(request.priorities), list(request.labels)) == ([1, 3], [3], ["a", "b"])
    assert (request.due_before.ToJsonString(), request.due_after.ToJsonString()) == (
        "2027-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z",
    )
    assert request.show_deleted


async def test_the_user_request_id_and_trace_reach_the_service(edge: Edge, fakes: Fakes) -> None:
    headers = {"X-Request-ID": "request-of-mine"}
    answer = await edge.client.get(TASKS, headers=headers)
    assert answer.headers["X-Request-ID"] == "request-of-mine"
    metadata = fakes.tasks.behaviour.metadata[-1]
    assert (metadata["x-consumer-username"], metadata["x-request-id"]) == ("ada", "request-of-mine")


async def test_notifications_are_listed_and_marked(edge: Edge, fakes: Fakes) -> None:
    page = fakes.notifications.page
    page.unread_count = 1
    one = page.notifications.add(id="t:1:created", kind=1, task_id="t", title="a task")
    one.create_time.FromJsonString("2026-11-22T08:00:00Z")
    one.deliveries.add(channel="console", outcome=1, attempts=0)
    answer = await edge.client.get("/api/v1/notifications?page_size=3")
    assert answer.json() == {
        "notifications": [
            {
                "id": "t:1:created",
                "kind": "TASK_CREATED",
                "task_id": "t",
                "title": "a task",
                "create_time": "2026-11-22T08:00:00Z",
                "read_time": None,
                "deliveries": [{"channel": "console", "outcome": "PENDING", "attempts": 0, "time": None}],
            }
        ],
        "next_page_token": "",
        "unread_count": 1,
    }
    mark = "/api/v1/notifications:markRead"
    assert (await edge.client.post(mark, json={"ids": ["t:1:created"]})).status_code == 204
    assert (await edge.client.post(mark, json={"all": True})).status_code == 204
    assert fakes.notifications.behaviour.requests[-1].all
    bad: list[Any] = [{}, {"ids": []}, {"ids": ["x"], "all": True}, {"all": False}, {"ids": [1]}, {"ids": None}, []]
    for body in bad:
        assert (await edge.client.post(mark, json=body)).status_code == 422, body


@pytest.mark.parametrize(
    "title",
    ["a\u202eb", "\U0001f95b", "e\u0301", "\u00e9", "<img src=x onerror=1>", "a" * 200],
)
async def test_valid_unicode_round_trips_untouched(edge: Edge, title: str) -> None:
    created = await edge.client.post(TASKS, json={"title": title, "labels": [title[:50]]})
    assert created.status_code == 201
    shown = (await edge.client.get(created.headers["Location"])).json()
    assert (shown["title"], shown["labels"]) == (title, [unicodedata.normalize("NFC", title[:50])])
