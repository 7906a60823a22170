"""WatchNotifications and WatchNotificationEvents, from the event in the queue to the watcher, with several replicas."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc import StatusCode
from notify.v1.events_pb2 import WatchNotificationEventsRequest
from notify.v1.notify_pb2 import NOTIFICATION_KIND_TASK_CREATED, WatchNotificationsRequest

from tests.support.eventually import eventually
from tests.support.leaks import left_behind, open_files
from tests.support.notify_svc.fake_task_events import FakeTaskEvents, fake_task_events
from tests.support.notify_svc.notifier import FakeChannel, Running, serving
from tests.support.notify_svc.task_events import changed, created, publish
from tests.support.statuses import refused
from tests.support.valkey import Valkey

ANN = (("x-consumer-username", "ann"),)
BOB = (("x-consumer-username", "bob"),)


@pytest.fixture
async def tasks() -> AsyncIterator[FakeTaskEvents]:
    async with fake_task_events() as fake:
        yield fake


@pytest.fixture
async def service(valkey: Valkey, tasks: FakeTaskEvents) -> AsyncIterator[Running]:
    async with serving(valkey.url, tasks.target, [FakeChannel()]) as running:
        yield running


async def begun(service: Running, token: str = "", who: Any = ANN) -> Any:
    call: Any = service.stub.WatchNotifications(WatchNotificationsRequest(resume_token=token), metadata=who)
    first = await call.read()
    assert first is not grpc.aio.EOF
    assert not first.HasField("notification")
    return call, first


async def test_each_user_sees_its_new_notification_once_if_the_event_repeats(
    service: Running,
) -> None:
    anns, _ = await begun(service)
    bobs, _ = await begun(service, who=BOB)
    await publish(service.redis, created(1, "ann", "Buy milk"), created(1, "ann", "Buy milk"), changed(1))
    await publish(service.redis, created(2, "bob"), created(3, "ann", "Buy bread"))
    first, second = [(await anns.read()).notification for _ in range(2)]
    assert (first.id, first.title, first.kind) == (created(1).event_id, "Buy milk", NOTIFICATION_KIND_TASK_CREATED)
    assert second.title == "Buy bread"
    assert (await bobs.read()).notification.id == created(2).event_id


async def test_every_replica_streams_all_notifications_whichever_replica_handles_the_event(
    valkey: Valkey, tasks: FakeTaskEvents
) -> None:
    async with (
        serving(valkey.url, tasks.target, [FakeChannel()], consumer="one") as one,
        serving(valkey.url, tasks.target, [FakeChannel()], consumer="two") as two,
    ):
        watching = [(await begun(replica))[0] for replica in (one, two, one, two)]
        await publish(one.redis, *(created(number, "ann") for number in range(1, 101)))
        expected = {created(number).event_id for number in range(1, 101)}
        for call in watching:
            assert {(await call.read()).notification.id for _ in range(100)} == expected


async def test_a_watcher_resumes_at_another_replica_without_loss_or_repeats(
    valkey: Valkey, tasks: FakeTaskEvents
) -> None:
    async with serving(valkey.url, tasks.target, [FakeChannel()], consumer="one") as one:
        call, _ = await begun(one)
        await publish(one.redis, created(1, "ann"), created(2, "ann"))
        token = (await call.read()).resume_token
        await call.read()
    async with serving(valkey.url, tasks.target, [FakeChannel()], consumer="two") as two:
        await publish(two.redis, created(3, "ann"))
        call, beginning = await begun(two, token)
        assert not beginning.reset
        assert [(await call.read()).notification.id for _ in range(2)] == [created(n).event_id for n in (2, 3)]


async def test_the_mesh_watches_all_notifications_and_needs_no_user(service: Running) -> None:
    call: Any = service.events_stub.WatchNotificationEvents(WatchNotificationEventsRequest())
    assert not (await call.read()).events
    await publish(service.redis, created(1, "ann"), created(2, "bob"))
    seen: list[Any] = []
    while len(seen) < 2:
        seen += (await call.read()).events
    assert [(event.owner, event.notification.id) for event in seen] == [
        ("ann", created(1).event_id),
        ("bob", created(2).event_id),
    ]


async def test_an_old_token_is_a_reset_and_an_invalid_one_is_refused(service: Running) -> None:
    _, beginning = await begun(service, "1-0")
    assert beginning.reset
    bad = WatchNotificationsRequest(resume_token="yesterday")
    async with refused() as refusal:
        await service.stub.WatchNotifications(bad, metadata=ANN).read()
    assert (refusal.code, refusal.reason) == (StatusCode.INVALID_ARGUMENT, "INVALID_RESUME_TOKEN")


async def test_a_thousand_finished_watchers_leak_nothing(service: Running) -> None:
    call, _ = await begun(service)
    call.cancel()
    before = len(asyncio.all_tasks()), open_files()

    async def come_and_go() -> None:
        stream, _ = await begun(service)
        stream.cancel()

    for _ in range(50):
        await asyncio.gather(*(come_and_go() for _ in range(20)))

    async def has_no_watchers() -> bool:
        return service.metric("watchers", feed="notifications") == 0

    await eventually(has_no_watchers)
    await left_behind(tasks=before[0], files=before[1])
