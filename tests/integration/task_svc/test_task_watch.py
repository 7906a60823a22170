"""WatchTasks and WatchTaskEvents over gRPC: access, resume tokens and the end of streams."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc import StatusCode
from task.v1 import events_pb2, task_pb2, task_pb2_grpc
from task.v1.events_pb2 import WatchTaskEventsRequest
from task.v1.task_pb2 import WatchTasksRequest

from chassis.feed.stream_id import token_of
from task_svc.grpc_api import watch
from tests.support.eventually import eventually
from tests.support.leaks import left_behind, open_files
from tests.support.notify_svc.task_events import created
from tests.support.statuses import refused
from tests.support.task_svc.task_service import RunningTaskService, task_service

ANN = (("x-consumer-username", "ann"),)
BOB = (("x-consumer-username", "bob"),)
BEGUN = (1_000, 0)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[RunningTaskService]:
    async with task_service(tmp_path) as running:
        running.feed.begin(BEGUN)
        yield running


def carry(service: RunningTaskService) -> None:
    """Append the published events to the feed, as the stream would."""
    assert service.feed.position is not None
    for pending in service.published:
        position = (service.feed.position[0] + 1, 0)
        item = watch.item_of(position, {b"id": str(pending.id).encode(), b"event": pending.payload})
        assert item is not None
        service.feed.append(item)
    service.published.clear()


def raw_watch(channel: grpc.aio.Channel) -> Any:
    """Return the stub of WatchTasks for a channel."""
    return task_pb2_grpc.TaskServiceStub(channel).WatchTasks


async def create(service: RunningTaskService, title: str, description: str = "", who: Any = ANN) -> task_pb2.Task:
    task = task_pb2.Task(title=title, description=description)
    return (await service.tasks.CreateTask(task_pb2.CreateTaskRequest(task=task), metadata=who)).task


async def begun(service: RunningTaskService, token: str = "", who: Any = ANN) -> Any:
    """Start a stream, and return it with its first message, which has the position but no change."""
    call: Any = service.tasks.WatchTasks(WatchTasksRequest(resume_token=token), metadata=who)
    first = await call.read()
    assert first is not grpc.aio.EOF
    assert not first.HasField("change")
    return call, first


def valid() -> events_pb2.TaskEvent:
    event = created(1)
    event.task.status, event.task.priority = task_pb2.TASK_STATUS_TODO, task_pb2.TASK_PRIORITY_LOW
    return event


def modified(**fields: Any) -> bytes:
    event = valid()
    for name, value in fields.items():
        setattr(event.task if name in ("status", "priority") else event, name, value)
    return event.SerializeToString()


def due_in(seconds: int) -> bytes:
    event = valid()
    event.task.due_time.seconds = seconds
    return event.SerializeToString()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        valid().SerializeToString()[:-3],
        modified(request_id="x" * 2_000_000),
        modified(type=99),
        modified(type=events_pb2.TASK_EVENT_TYPE_DUE),
        modified(schema_version=2),
        modified(owner=""),
        modified(owner="no such\nname"),
        modified(status=99),
        modified(priority=0),
        due_in(-(10**15)),
        due_in(10**15),
    ],
)
def test_an_invalid_event_is_skipped(data: bytes) -> None:
    assert watch.item_of(BEGUN, {b"event": data}) is None
    assert watch.item_of(BEGUN, {b"event": valid().SerializeToString()}) is not None


async def test_only_the_owner_sees_each_change_with_the_task_after_it(
    service: RunningTaskService,
) -> None:
    anns, _ = await begun(service)
    bobs, _ = await begun(service, who=BOB)
    task = await create(service, "Buy milk")
    update = task_pb2.UpdateTaskRequest(task=task_pb2.Task(id=task.id, title="Buy bread"))
    updated = (await service.tasks.UpdateTask(update, metadata=ANN)).task
    deleted = (await service.tasks.DeleteTask(task_pb2.DeleteTaskRequest(id=task.id), metadata=ANN)).task
    restored = (await service.tasks.UndeleteTask(task_pb2.UndeleteTaskRequest(id=task.id), metadata=ANN)).task
    await create(service, "Bob's", who=BOB)
    carry(service)

    changes = [(await anns.read()).change for _ in range(4)]
    assert [task_pb2.TaskChangeType.Name(change.type).removeprefix("TASK_CHANGE_TYPE_") for change in changes] == [
        "CREATED",
        "UPDATED",
        "DELETED",
        "UPDATED",
    ]
    assert [change.task for change in changes] == [task, updated, deleted, restored]
    assert all(len(change.request_id) >= 8 and change.occur_time.seconds for change in changes)
    assert (await bobs.read()).change.task.title == "Bob's"


async def test_a_stream_resumes_after_the_token_of_its_last_message(service: RunningTaskService) -> None:
    first, _ = await begun(service)
    await create(service, "one")
    await create(service, "two")
    carry(service)
    token = (await first.read()).resume_token
    first.cancel()
    await create(service, "three")
    carry(service)
    second, beginning = await begun(service, token)
    assert (beginning.resume_token, beginning.reset) == (token, False)
    assert [(await second.read()).change.task.title for _ in range(2)] == ["two", "three"]


async def test_a_token_that_is_no_longer_covered_is_a_reset(service: RunningTaskService) -> None:
    await create(service, "one")
    carry(service)
    call, beginning = await begun(service, "999-0")
    assert beginning.reset
    assert beginning.resume_token == token_of(service.feed.position or BEGUN)
    await create(service, "two")
    carry(service)
    assert (await call.read()).change.task.title == "two"


async def test_a_bad_token_and_an_unknown_caller_are_refused(service: RunningTaskService) -> None:
    bad = WatchTasksRequest(resume_token="yesterday")
    async with refused() as refusal:
        await service.tasks.WatchTasks(bad, metadata=ANN).read()
    assert (refusal.code, refusal.reason) == (StatusCode.INVALID_ARGUMENT, "INVALID_RESUME_TOKEN")
    assert list(refusal.violations) == ["resume_token"]
    async with refused() as refusal:
        await service.tasks.WatchTasks(WatchTasksRequest()).read()
    assert refusal.code is StatusCode.UNAUTHENTICATED


async def test_the_mesh_watches_all_events_from_the_oldest_and_needs_no_user(
    service: RunningTaskService,
) -> None:
    await create(service, "Ann's")
    await create(service, "Bob's", who=BOB)
    carry(service)
    call: Any = service.events.WatchTaskEvents(WatchTaskEventsRequest())
    beginning, held = await call.read(), await call.read()
    assert (beginning.resume_token, list(beginning.events), beginning.reset) == (token_of(BEGUN), [], False)
    assert [(watched.event.owner, watched.event.task.title) for watched in held.events] == [
        ("ann", "Ann's"),
        ("bob", "Bob's"),
    ]
    await create(service, "more")
    carry(service)
    (more,) = (await call.read()).events
    assert more.event.type == events_pb2.TASK_EVENT_TYPE_CREATED
    call.cancel()
    again: Any = service.events.WatchTaskEvents(WatchTaskEventsRequest(resume_token=held.resume_token))
    await again.read()
    assert [watched.event.task.title for watched in (await again.read()).events] == ["more"]


async def test_more_events_than_fit_into_one_message_come_in_several(service: RunningTaskService) -> None:
    for number in range(150):
        await create(service, f"Task {number}", description="ß" * 10_000)
    carry(service)
    call: Any = service.events.WatchTaskEvents(WatchTaskEventsRequest())
    titles: list[str] = []
    messages = 0
    while len(titles) < 150:
        message = await call.read()
        assert message.ByteSize() < 1.1 * 1024 * 1024
        messages += 1
        titles += [watched.event.task.title for watched in message.events]
    assert titles == [f"Task {number}" for number in range(150)]
    assert messages > 3


async def test_a_watcher_that_does_not_read_is_disconnected_and_can_resume(service: RunningTaskService) -> None:
    options = (
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", 65_535),
    )  # keep the flow-control window small
    async with grpc.aio.insecure_channel(service.target, options=options) as channel:
        slow = raw_watch(channel)(WatchTasksRequest(), metadata=ANN)
        await slow.read()

        async def is_cut() -> bool:
            await asyncio.gather(*(create(service, "large", description="ß" * 10_000) for _ in range(20)))
            carry(service)
            return bool(service.registry.get_sample_value("watchers_cut_total", {"feed": "tasks"}))

        await eventually(is_cut, within=60)
        tokens = []
        async with refused() as refusal:
            while (message := await slow.read()) is not grpc.aio.EOF:
                tokens.append(message.resume_token)
        assert (refusal.code, refusal.reason) == (StatusCode.RESOURCE_EXHAUSTED, "WATCHER_TOO_SLOW")
        (info,) = refusal.details
        assert isinstance(info, error_details_pb2.ErrorInfo)
        assert info.metadata["resume_token"] == tokens[-1]
        call, beginning = await begun(service, tokens[-1])
        assert not beginning.reset
        while (message := await call.read()).resume_token != token_of(service.feed.position or BEGUN):
            tokens.append(message.resume_token)
        tokens.append(message.resume_token)
        assert tokens == [token_of((BEGUN[0] + number, 0)) for number in range(1, len(tokens) + 1)]


async def test_a_service_that_stops_ends_its_streams_cleanly(tmp_path: Path) -> None:
    async with AsyncExitStack() as running:
        service = await running.enter_async_context(task_service(tmp_path))
        service.feed.begin(BEGUN)
        async with grpc.aio.insecure_channel(service.target) as channel:
            watch_tasks = raw_watch(channel)
            calls: list[Any] = [watch_tasks(WatchTasksRequest(), metadata=ANN) for _ in range(20)]
            for call in calls:
                await call.read()
            stopping = asyncio.create_task(running.aclose())
            assert [await call.read() for call in calls] == [grpc.aio.EOF] * 20
            assert {await call.code() for call in calls} == {StatusCode.OK}
            await stopping


async def test_a_thousand_finished_watchers_leak_nothing(service: RunningTaskService) -> None:
    call, _ = await begun(service)
    call.cancel()
    before = len(asyncio.all_tasks()), open_files()

    async def come_and_go() -> None:
        stream, _ = await begun(service)
        stream.cancel()

    for _ in range(50):
        await asyncio.gather(*(come_and_go() for _ in range(20)))

    async def has_no_watchers() -> bool:
        return service.registry.get_sample_value("watchers", {"feed": "tasks"}) == 0

    await eventually(has_no_watchers)
    await left_behind(tasks=before[0], files=before[1])
    started, handled = (
        service.registry.get_sample_value(
            f"grpc_server_{name}_total",
            {"grpc_type": "SERVER_STREAMING", "grpc_service": "task.v1.TaskService", "grpc_method": "WatchTasks"}
            | more,
        )
        for name, more in (("started", {}), ("handled", {"grpc_code": "CANCELLED"}))
    )
    assert started == handled == 1_001
