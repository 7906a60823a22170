"""The semantics of TaskService and TaskEventsService over gRPC."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from task.v1 import events_pb2, task_pb2
from task.v1.events_pb2 import ConfirmEventsRequest
from task.v1.task_pb2 import (
    CreateTaskRequest,
    DeleteTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    ListTasksResponse,
    Task,
    UndeleteTaskRequest,
    UpdateTaskRequest,
)

from task_svc import convert, use_cases
from task_svc.jobs import purge_once
from tests.support.eventually import eventually
from tests.support.statuses import refused
from tests.support.task_svc.full_disk import full_disk
from tests.support.task_svc.task_service import RunningTaskService, task_service
from tests.support.task_svc.tasks import FIELDS, another, creation, new_task

ANN = (("x-consumer-username", "ann"),)
BOB = (("x-consumer-username", "bob"),)
NEVER = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[RunningTaskService]:
    async with task_service(tmp_path) as running:
        yield running


async def create(service: RunningTaskService, title: str = "Buy milk", key: str = "", **fields: object) -> Task:
    request = CreateTaskRequest(task=Task(title=title, **fields), request_id=key)  # type: ignore[arg-type]
    return (await service.tasks.CreateTask(request, metadata=ANN)).task


async def update(service: RunningTaskService, task: Task, *mask: str) -> Task:
    request = UpdateTaskRequest(task=task, update_mask=FieldMask(paths=mask))
    return (await service.tasks.UpdateTask(request, metadata=ANN)).task


async def page(service: RunningTaskService, **request: object) -> ListTasksResponse:
    return await service.tasks.ListTasks(ListTasksRequest(**request), metadata=ANN)  # type: ignore[arg-type]


async def titles(service: RunningTaskService, **request: object) -> list[str]:
    return [task.title for task in (await page(service, **request)).tasks]


def given(field: str) -> dict[str, Any]:
    """Return a field of a request with a value that differs from its default."""
    value = getattr(convert.task_to_proto(new_task(**another(field))), field)
    assert value != getattr(Task(), field), f"task_svc/convert.py does not convert {field}"
    return {field: value}


async def test_the_service_is_not_ready_while_the_store_cannot_write(
    service: RunningTaskService, tmp_path: Path
) -> None:
    async with grpc.aio.insecure_channel(service.target) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)

        async def state(expected: Any) -> bool:
            request = HealthCheckRequest(service="task.v1.TaskService")
            return bool((await stub.Check(request)).status == expected)

        await create(service)
        await eventually(lambda: state(HealthCheckResponse.SERVING))
        with full_disk(tmp_path / "tasks.db"):
            await eventually(lambda: state(HealthCheckResponse.NOT_SERVING))
        await eventually(lambda: state(HealthCheckResponse.SERVING))


@pytest.mark.parametrize("field", FIELDS)
class TestEveryField:
    async def test_is_set_by_a_create_and_changed_alone_by_its_mask(
        self, service: RunningTaskService, field: str
    ) -> None:
        value = given(field)
        created = await create(service, **{"title": "Buy milk", **value})
        assert getattr(created, field) == value[field]

        plain = await create(service, "Plain")
        changed = await update(service, Task(id=plain.id, **value), field)
        assert getattr(changed, field) == value[field]
        others = [name for name in FIELDS if name != field]
        assert [getattr(changed, name) for name in others] == [getattr(plain, name) for name in others]

    async def test_is_cleared_by_its_mask_where_it_can_be_empty(self, service: RunningTaskService, field: str) -> None:
        created = await create(service, **{"title": "Buy milk", **given(field)})
        empty = Task(id=created.id)
        if getattr(new_task().fields, field) in ("", (), None):
            assert getattr(await update(service, empty, field), field) == getattr(Task(), field)
        else:
            async with refused() as refusal:
                await update(service, empty, field)
            assert list(refusal.violations) == [f"task.{field}"]

    async def test_is_in_the_events(self, service: RunningTaskService, field: str) -> None:
        value = given(field)
        task = await create(service, "Plain")
        await update(service, Task(id=task.id, **value), field)
        event = events_pb2.TaskEvent.FromString(service.published[-1].payload)
        assert getattr(event.task, field) == value[field]

    async def test_is_another_request_with_the_same_key(self, service: RunningTaskService, field: str) -> None:
        await create(service, key="k")
        async with refused() as refusal:
            await create(service, **{"title": "Buy milk", "key": "k", **given(field)})
        assert refusal.reason == "REQUEST_ID_REUSED"


class TestCreate:
    async def test_a_repeat_matches_a_fingerprint_of_an_older_release(self, service: RunningTaskService) -> None:
        task = new_task()
        parts = ("Buy milk", "", 1, 2, (), None)
        old = hashlib.sha256(json.dumps(parts).encode()).digest()
        await service.store.insert(creation(task, "k", old))
        assert (await create(service, key="k")).id == task.id
        async with refused() as refusal:
            await create(service, "Buy bread", key="k")
        assert refusal.reason == "REQUEST_ID_REUSED"

    async def test_a_field_that_older_fingerprints_do_not_cover_makes_another_request(
        self, service: RunningTaskService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(use_cases, "_IN_VERSION_0", ("title",))
        old = hashlib.sha256(json.dumps(["Buy milk"]).encode()).digest()
        await service.store.insert(creation(new_task(), "k", old))
        await create(service, key="k")
        async with refused() as refusal:
            await create(service, key="k", labels=["home"])
        assert refusal.reason == "REQUEST_ID_REUSED"

    async def test_a_new_task_has_defaults_and_the_fields_that_the_service_sets(
        self, service: RunningTaskService
    ) -> None:
        task = await create(service)

        assert (task.status, task.priority) == (task_pb2.TASK_STATUS_TODO, task_pb2.TASK_PRIORITY_MEDIUM)
        assert (task.owner, task.revision, task.etag) == ("ann", 1, "r1")
        assert task.create_time.ToDatetime() == service.clock.now.replace(tzinfo=None)
        assert not task.HasField("complete_time")
        assert (await service.tasks.GetTask(GetTaskRequest(id=task.id), metadata=ANN)).task == task

    async def test_a_task_that_is_created_as_done_has_a_complete_time(self, service: RunningTaskService) -> None:
        task = await create(service, status=task_pb2.TASK_STATUS_DONE)

        assert task.complete_time == task.create_time

    async def test_a_repeat_returns_the_task_as_it_is_now_deleted_or_not(self, service: RunningTaskService) -> None:
        task = await create(service, key="k")
        await update(service, Task(id=task.id, priority=task_pb2.TASK_PRIORITY_LOW))
        assert (await create(service, key="k")).priority == task_pb2.TASK_PRIORITY_LOW

        await service.tasks.DeleteTask(DeleteTaskRequest(id=task.id), metadata=ANN)
        repeat = await create(service, key="k")

        assert repeat.id == task.id
        assert repeat.HasField("delete_time")
        assert [str(event.id) for event in service.published] == [
            f"{task.id}:1:created",
            f"{task.id}:2:changed",
            f"{task.id}:3:changed",
        ]

    async def test_another_body_with_the_same_key_is_refused_and_has_no_effect(
        self, service: RunningTaskService
    ) -> None:
        await create(service, key="k")
        async with refused() as refusal:
            await create(service, "Buy bread", key="k")

        assert (refusal.code, refusal.reason) == (StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")
        assert list(refusal.violations) == ["request_id"]
        assert await titles(service) == ["Buy milk"]

    async def test_keys_are_per_user(self, service: RunningTaskService) -> None:
        anns = await create(service, key="k")
        request = CreateTaskRequest(task=Task(title="Bob's"), request_id="k")
        bobs = (await service.tasks.CreateTask(request, metadata=BOB)).task

        assert bobs.id != anns.id
        assert bobs.title == "Bob's"

    async def test_without_a_key_every_create_is_a_new_one(self, service: RunningTaskService) -> None:
        assert (await create(service)).id != (await create(service)).id

    @pytest.mark.parametrize("key", ["x" * 256, "tab\t", "ümlaut", "\x7f"])
    async def test_an_invalid_key_is_refused(self, service: RunningTaskService, key: str) -> None:
        async with refused() as refusal:
            await create(service, key=key)

        assert refusal.code is StatusCode.INVALID_ARGUMENT
        assert list(refusal.violations) == ["request_id"]

    @pytest.mark.parametrize("key", ["x" * 255, " ", "~!@#"])
    async def test_any_printable_key_is_accepted(self, service: RunningTaskService, key: str) -> None:
        assert (await create(service, key=key)).id == (await create(service, key=key)).id

    @pytest.mark.parametrize(
        ("fields", "violated"),
        [
            ({"title": ""}, "task.title"),
            ({"title": " \u2003\n"}, "task.title"),
            ({"title": "x" * 201}, "task.title"),
            ({"title": "nul\0"}, "task.title"),
            ({"title": "line\nfeed"}, "task.title"),
            ({"description": "x" * 10_001}, "task.description"),
            ({"description": "nul\0"}, "task.description"),
            ({"labels": [str(n) for n in range(21)]}, "task.labels"),
            ({"labels": ["ok", ""]}, "task.labels[1]"),
            ({"labels": ["x" * 51]}, "task.labels[0]"),
            ({"labels": ["twice", "twice"]}, "task.labels[1]"),
            ({"status": 9}, "task.status"),
            ({"priority": 9}, "task.priority"),
            ({"due_time": Timestamp(seconds=-1)}, "task.due_time"),
            ({"due_time": Timestamp(seconds=10**15)}, "task.due_time"),
            ({"due_time": Timestamp(nanos=-1)}, "task.due_time"),
            ({"id": NEVER}, "task.id"),
            ({"owner": "bob"}, "task.owner"),
            ({"revision": 7}, "task.revision"),
            ({"etag": "r1"}, "task.etag"),
            ({"create_time": Timestamp(seconds=1)}, "task.create_time"),
        ],
    )
    async def test_an_invalid_field_is_named(
        self, service: RunningTaskService, fields: dict[str, object], violated: str
    ) -> None:
        async with refused() as refusal:
            await create(service, **{"title": "Buy milk", **fields})  # type: ignore[arg-type]

        assert refusal.code is StatusCode.INVALID_ARGUMENT
        assert list(refusal.violations) == [violated]
        assert await titles(service) == []

    @pytest.mark.parametrize("wrong", [{}, {"key": "ö"}, {"status": 9, "owner": "bob"}, {"status": 9, "key": "ö"}])
    async def test_all_violations_are_reported_at_once(
        self, service: RunningTaskService, wrong: dict[str, Any]
    ) -> None:
        async with refused() as refusal:
            await create(service, "", description="\0", labels=[""], **wrong)

        named = {"request_id" if name == "key" else f"task.{name}" for name in wrong}
        assert set(refusal.violations) == {"task.title", "task.description", "task.labels[0]", *named}

    @pytest.mark.parametrize("title", ["x", "x" * 200, "🥛" * 200, "e\u0301 ≠ é", "\u202ertl", " padded "])
    async def test_valid_unicode_is_returned_unchanged(self, service: RunningTaskService, title: str) -> None:
        assert (await create(service, title)).title == title

    async def test_times_are_truncated_to_microseconds(self, service: RunningTaskService) -> None:
        task = await create(service, due_time=Timestamp(seconds=1, nanos=1_999))

        assert task.due_time.nanos == 1_000


class TestGet:
    @pytest.mark.parametrize("task_id", ["", "x", "../etc", NEVER, NEVER.lower(), NEVER[:-1], "x" * 1000, "%00", "\0"])
    async def test_an_invalid_id_is_not_found(self, service: RunningTaskService, task_id: str) -> None:
        async with refused() as refusal:
            await service.tasks.GetTask(GetTaskRequest(id=task_id), metadata=ANN)

        assert (refusal.code, refusal.reason) == (StatusCode.NOT_FOUND, "TASK_NOT_FOUND")

    async def test_another_users_task_is_refused_like_one_that_does_not_exist(
        self, service: RunningTaskService
    ) -> None:
        task = await create(service)
        calls: dict[str, Callable[[], Awaitable[Any]]] = {
            "get": lambda: service.tasks.GetTask(GetTaskRequest(id=task.id), metadata=BOB),
            "update": lambda: service.tasks.UpdateTask(
                UpdateTaskRequest(task=Task(id=task.id, title="Mine")), metadata=BOB
            ),
            "delete": lambda: service.tasks.DeleteTask(DeleteTaskRequest(id=task.id), metadata=BOB),
            "undelete": lambda: service.tasks.UndeleteTask(UndeleteTaskRequest(id=task.id), metadata=BOB),
        }
        for call in calls.values():
            async with refused() as refusal:
                await call()
            assert (refusal.code, refusal.reason) == (StatusCode.NOT_FOUND, "TASK_NOT_FOUND")
        listing = await service.tasks.ListTasks(ListTasksRequest(show_deleted=True), metadata=BOB)
        assert list(listing.tasks) == []
        assert (await service.tasks.GetTask(GetTaskRequest(id=task.id), metadata=ANN)).task == task


class TestUpdate:
    async def test_only_the_fields_in_the_mask_change(self, service: RunningTaskService) -> None:
        task = await create(service, description="Two litres", labels=["shop"])
        service.clock.move(seconds=1)

        changed = await update(service, Task(id=task.id, title="Buy bread", description="ignored"), "title", "labels")

        assert (changed.title, changed.description, list(changed.labels)) == ("Buy bread", "Two litres", [])
        assert (changed.revision, changed.etag) == (2, "r2")
        assert changed.update_time.ToDatetime() == service.clock.now.replace(tzinfo=None)

    async def test_without_a_mask_the_fields_that_are_set_change(self, service: RunningTaskService) -> None:
        task = await create(service, description="Two litres")

        changed = await update(service, Task(id=task.id, status=task_pb2.TASK_STATUS_DONE))

        assert (changed.title, changed.description) == ("Buy milk", "Two litres")
        assert changed.HasField("complete_time")

    async def test_complete_time_follows_the_status(self, service: RunningTaskService) -> None:
        task = await create(service)
        done = await update(service, Task(id=task.id, status=task_pb2.TASK_STATUS_DONE))
        service.clock.move(hours=1)
        still_done = await update(service, Task(id=task.id, title="Still done"))
        open_again = await update(service, Task(id=task.id, status=task_pb2.TASK_STATUS_TODO))

        assert still_done.complete_time == done.complete_time
        assert not open_again.HasField("complete_time")

    async def test_a_due_time_is_cleared_by_its_mask(self, service: RunningTaskService) -> None:
        task = await create(service, due_time=Timestamp(seconds=1))

        assert not (await update(service, Task(id=task.id), "due_time")).HasField("due_time")

    async def test_a_change_of_nothing_leaves_the_revision(self, service: RunningTaskService) -> None:
        task = await create(service)

        assert await update(service, Task(id=task.id, title="Buy milk"), "title") == task
        assert await update(service, Task(id=task.id)) == task
        assert len(service.published) == 1

    async def test_a_stale_etag_is_refused(self, service: RunningTaskService) -> None:
        task = await create(service)
        await update(service, Task(id=task.id, title="Buy bread", etag="r1"))
        async with refused() as refusal:
            await update(service, Task(id=task.id, title="Buy cake", etag="r1"))

        assert (refusal.code, refusal.reason) == (StatusCode.ABORTED, "ETAG_MISMATCH")

    async def test_of_twenty_writers_with_one_etag_one_wins(self, service: RunningTaskService) -> None:
        task = await create(service)
        answers = await asyncio.gather(
            *(update(service, Task(id=task.id, title=f"Writer {n}", etag="r1")) for n in range(20)),
            return_exceptions=True,
        )

        won = [answer for answer in answers if isinstance(answer, Task)]
        lost = [answer.code() for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
        assert len(won) == 1
        assert lost == [StatusCode.ABORTED] * 19

    @pytest.mark.parametrize(
        "path", ["owner", "id", "etag", "revision", "create_time", "*", "outbox.0", "title.x", "nosuch", ""]
    )
    async def test_a_mask_may_contain_only_changeable_fields(self, service: RunningTaskService, path: str) -> None:
        task = await create(service)
        async with refused() as refusal:
            await update(service, Task(id=task.id, title="New", owner="bob"), "title", path)

        assert refusal.code is StatusCode.INVALID_ARGUMENT
        assert list(refusal.violations) == ["update_mask"]
        assert await titles(service) == ["Buy milk"]

    @pytest.mark.parametrize("path", ["title", "status", "priority"])
    async def test_a_required_field_cannot_be_cleared(self, service: RunningTaskService, path: str) -> None:
        task = await create(service)
        async with refused() as refusal:
            await update(service, Task(id=task.id), path)

        assert list(refusal.violations) == [f"task.{path}"]

    async def test_all_violations_are_reported_at_once(self, service: RunningTaskService) -> None:
        task = await create(service)
        wrong = Task(id=task.id, status=9, description="\0", due_time=Timestamp(seconds=10**15))  # type: ignore[arg-type]
        async with refused() as refusal:
            await update(service, wrong, "title", "status", "priority", "description", "due_time", "owner")

        named = {"update_mask", "task.title", "task.status", "task.priority", "task.description", "task.due_time"}
        assert set(refusal.violations) == named


class TestDelete:
    async def test_a_deleted_task_is_hidden_unless_requested(self, service: RunningTaskService) -> None:
        task = await create(service)
        deleted = (await service.tasks.DeleteTask(DeleteTaskRequest(id=task.id), metadata=ANN)).task

        assert deleted.HasField("delete_time")
        assert await titles(service) == []
        assert await titles(service, show_deleted=True) == ["Buy milk"]
        found = await service.tasks.GetTask(GetTaskRequest(id=task.id, show_deleted=True), metadata=ANN)
        assert found.task == deleted
        attempts: list[Callable[[], Awaitable[Any]]] = [
            lambda: service.tasks.GetTask(GetTaskRequest(id=task.id), metadata=ANN),
            lambda: service.tasks.DeleteTask(DeleteTaskRequest(id=task.id), metadata=ANN),
            lambda: update(service, Task(id=task.id, title="Zombie")),
        ]
        for call in attempts:
            async with refused() as refusal:
                await call()
            assert refusal.code is StatusCode.NOT_FOUND

    async def test_a_stale_etag_deletes_nothing(self, service: RunningTaskService) -> None:
        task = await create(service)
        async with refused() as refusal:
            await service.tasks.DeleteTask(DeleteTaskRequest(id=task.id, etag="r9"), metadata=ANN)

        assert refusal.code is StatusCode.ABORTED
        assert await titles(service) == ["Buy milk"]

    async def test_undelete_restores_a_task(self, service: RunningTaskService) -> None:
        task = await create(service)
        await service.tasks.DeleteTask(DeleteTaskRequest(id=task.id), metadata=ANN)
        back = (await service.tasks.UndeleteTask(UndeleteTaskRequest(id=task.id), metadata=ANN)).task

        assert not back.HasField("delete_time")
        assert back.revision == 3
        assert await titles(service) == ["Buy milk"]

    async def test_a_live_task_cannot_be_undeleted(self, service: RunningTaskService) -> None:
        task = await create(service)
        async with refused() as refusal:
            await service.tasks.UndeleteTask(UndeleteTaskRequest(id=task.id), metadata=ANN)

        assert (refusal.code, refusal.reason) == (StatusCode.ALREADY_EXISTS, "NOT_DELETED")

    async def test_a_task_is_purged_after_thirty_days_and_only_with_an_empty_outbox(
        self, service: RunningTaskService
    ) -> None:
        task = await create(service, key="k")
        await service.tasks.DeleteTask(DeleteTaskRequest(id=task.id), metadata=ANN)
        service.clock.move(days=31)
        assert await purge_once(service.store, service.clock) == 0

        ids = [str(event.id) for event in service.published]
        await service.events.ConfirmEvents(ConfirmEventsRequest(event_ids=ids))
        assert await purge_once(service.store, service.clock) == 1

        assert await titles(service, show_deleted=True) == []
        assert (await create(service, key="k")).id != task.id


class TestList:
    async def test_pages_follow_each_other_without_gap_or_repeat(self, service: RunningTaskService) -> None:
        for n in range(7):
            service.clock.move(seconds=1)
            await create(service, f"Task {n}")

        first = await page(service, page_size=3)
        second = await page(service, page_size=3, page_token=first.next_page_token)
        third = await page(service, page_size=3, page_token=second.next_page_token)

        found = [task.title for response in (first, second, third) for task in response.tasks]
        assert found == [f"Task {n}" for n in range(6, -1, -1)]
        assert third.next_page_token == ""

    async def test_the_page_size_has_a_default_and_a_maximum(self, service: RunningTaskService) -> None:
        await asyncio.gather(*(create(service) for _ in range(210)))

        assert len((await page(service)).tasks) == 50
        assert len((await page(service, page_size=10**9)).tasks) == 200

    async def test_a_page_ends_early_when_it_would_be_too_large(self, service: RunningTaskService) -> None:
        await asyncio.gather(*(create(service, description="🥛" * 10_000) for _ in range(60)))

        first = await page(service, page_size=60)
        rest = await page(service, page_size=60, page_token=first.next_page_token)

        assert first.ByteSize() <= 2 * 1024 * 1024 + 1024
        assert len(first.tasks) + len(rest.tasks) == 60
        assert not {task.id for task in first.tasks} & {task.id for task in rest.tasks}

    @pytest.mark.parametrize(
        ("request_fields", "violated"),
        [
            ({"page_size": -1}, "page_size"),
            ({"order_by": "title"}, "order_by"),
            ({"order_by": "create_time asc"}, "order_by"),
            ({"order_by": "create_time desc, id"}, "order_by"),
            ({"order_by": "create_time "}, "order_by"),
            ({"order_by": "1; DROP TABLE tasks"}, "order_by"),
            ({"statuses": [0]}, "statuses[0]"),
            ({"statuses": [1, 99]}, "statuses[1]"),
            ({"priorities": [-1]}, "priorities[0]"),
            ({"labels": [""]}, "labels[0]"),
            ({"labels": ["x"] * 21}, "labels"),
            ({"query": "x" * 201}, "query"),
            ({"query": "\0"}, "query"),
            ({"due_before": Timestamp(seconds=10**15)}, "due_before"),
        ],
    )
    async def test_an_invalid_argument_is_named(
        self, service: RunningTaskService, request_fields: dict[str, object], violated: str
    ) -> None:
        async with refused() as refusal:
            await page(service, **request_fields)

        assert refusal.code is StatusCode.INVALID_ARGUMENT
        assert list(refusal.violations) == [violated]

    async def test_all_invalid_arguments_are_named_but_only_the_first_of_a_list(
        self, service: RunningTaskService
    ) -> None:
        wrong = {"page_size": -1, "order_by": "title", "statuses": [1, 0, 99], "query": "\0", "labels": [""]}
        times = {name: Timestamp(seconds=10**15) for name in ("due_before", "due_after")}
        async with refused() as refusal:
            await page(service, **wrong, **times, page_token="damaged")

        named = ["page_size", "order_by", "labels[0]", "query", "statuses[1]", "due_before", "due_after"]
        assert list(refusal.violations) == named

    async def test_a_token_belongs_to_its_user_and_its_arguments(self, service: RunningTaskService) -> None:
        await asyncio.gather(*(create(service, labels=["a"]) for _ in range(3)))
        token = (await page(service, page_size=1, labels=["a"])).next_page_token

        assert len((await page(service, page_size=2, labels=["a"], page_token=token)).tasks) == 2
        wrong = [
            (ANN, {"page_token": token}),
            (ANN, {"page_token": token, "labels": ["b"]}),
            (ANN, {"page_token": token, "labels": ["a"], "order_by": "priority"}),
            (ANN, {"page_token": token, "labels": ["a"], "show_deleted": True}),
            (BOB, {"page_token": token, "labels": ["a"]}),
            (ANN, {"page_token": token[:-2], "labels": ["a"]}),
            (ANN, {"page_token": ("B" if token[0] == "A" else "A") + token[1:], "labels": ["a"]}),
            (ANN, {"page_token": token + "!", "labels": ["a"]}),
            (ANN, {"page_token": "eyIkZ3QiOiIifQ", "labels": ["a"]}),
            (ANN, {"page_token": "ümlaut", "labels": ["a"]}),
        ]
        for metadata, fields in wrong:
            async with refused() as refusal:
                await service.tasks.ListTasks(ListTasksRequest(**fields), metadata=metadata)  # type: ignore[arg-type]
            assert (refusal.code, refusal.reason) == (StatusCode.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN"), fields

    async def test_text_in_a_query_is_matched_literally(self, service: RunningTaskService) -> None:
        await create(service, "100% (a+)+$ .*")

        assert await titles(service, query="(A+)+$") == ["100% (a+)+$ .*"]
        assert await titles(service, query=".*x") == []
        assert await titles(service, query="' OR 1=1 --") == []

    async def test_texts_and_labels_are_found_in_either_form(self, service: RunningTaskService) -> None:
        composed, decomposed = "Caf\u00e9", "Cafe\u0301"
        await create(service, composed, labels=[decomposed])
        await create(service, decomposed, labels=[composed])

        for form in (composed, decomposed):
            assert len(await titles(service, query=form)) == 2
            assert len(await titles(service, labels=[form])) == 2
            assert len(await titles(service, labels=[form], query="cafe")) == 2


class TestEvents:
    async def test_an_event_contains_the_request_that_caused_it(self, service: RunningTaskService) -> None:
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        metadata = (*ANN, ("x-request-id", "request-0001"), ("traceparent", trace))
        request = CreateTaskRequest(task=Task(title="Buy milk"))
        task = (await service.tasks.CreateTask(request, metadata=metadata)).task

        (published,) = service.published
        event = events_pb2.TaskEvent.FromString(published.payload)
        assert event.event_id == f"{task.id}:1:created"
        assert (event.type, event.schema_version) == (events_pb2.TASK_EVENT_TYPE_CREATED, 1)
        assert (event.task, event.owner, event.revision) == (task, "ann", 1)
        assert event.request_id == "request-0001"
        assert event.traceparent.split("-")[1] == trace.split("-")[1]

    async def test_each_change_has_its_type(self, service: RunningTaskService) -> None:
        task = await create(service)
        await update(service, Task(id=task.id, title="Buy bread"))
        await service.tasks.DeleteTask(DeleteTaskRequest(id=task.id), metadata=ANN)
        await service.tasks.UndeleteTask(UndeleteTaskRequest(id=task.id), metadata=ANN)

        types = [events_pb2.TaskEvent.FromString(event.payload).type for event in service.published]
        assert types == [
            events_pb2.TASK_EVENT_TYPE_CREATED,
            events_pb2.TASK_EVENT_TYPE_UPDATED,
            events_pb2.TASK_EVENT_TYPE_DELETED,
            events_pb2.TASK_EVENT_TYPE_UPDATED,
        ]

    async def test_confirming_needs_no_user_and_ignores_unknown_events(self, service: RunningTaskService) -> None:
        task = await create(service)
        ids = ["", "nonsense", f"{task.id}:x:created", f"{task.id}:9:created", f"{NEVER}:1:created"]
        await service.events.ConfirmEvents(ConfirmEventsRequest(event_ids=ids))
        assert (await service.store.backlog()).unpublished == 1

        for _ in range(2):
            await service.events.ConfirmEvents(ConfirmEventsRequest(event_ids=[f"{task.id}:1:created"]))
        assert (await service.store.backlog()).unpublished == 0

    async def test_too_many_ids_are_refused(self, service: RunningTaskService) -> None:
        async with refused() as refusal:
            await service.events.ConfirmEvents(ConfirmEventsRequest(event_ids=["x"] * 1001))

        assert list(refusal.violations) == ["event_ids"]


async def test_random_bytes_and_unknown_methods_return_errors_and_the_service_keeps_running(
    service: RunningTaskService,
) -> None:
    async with grpc.aio.insecure_channel(service.target) as channel:
        for path, data in (
            ("/task.v1.TaskService/CreateTask", b"\xff\xff\xff\xff"),
            ("/task.v1.TaskService/CreateTask", b"\x0a\x04\x12\x02\xff\xfe"),
            ("/task.v1.TaskService/Nonsense", b""),
            ("/no.such.Service/Method", b""),
        ):
            async with refused() as refusal:
                await channel.unary_unary(path)(
                    data,  # type: ignore[arg-type]
                    metadata=ANN,
                    timeout=5,
                )
            assert refusal.code in (StatusCode.INVALID_ARGUMENT, StatusCode.UNIMPLEMENTED)
    assert (await create(service)).title == "Buy milk"
