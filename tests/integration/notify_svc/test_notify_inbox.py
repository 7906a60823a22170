"""Users list their own notifications, newest first, and mark them as read, through the real gRPC server."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from notify.v1 import notify_pb2

from notify_svc.domain import DAY_MS
from tests.support.eventually import eventually
from tests.support.notify_svc.fake_task_events import FakeTaskEvents, fake_task_events
from tests.support.notify_svc.notifier import Clock, FakeChannel, Running, serving
from tests.support.notify_svc.task_events import OCCURRED_MS, created, publish
from tests.support.statuses import refused
from tests.support.valkey import Valkey


@pytest.fixture
async def tasks() -> AsyncIterator[FakeTaskEvents]:
    async with fake_task_events() as fake:
        yield fake


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def service(valkey: Valkey, tasks: FakeTaskEvents, clock: Clock) -> AsyncIterator[Running]:
    async with serving(valkey.url, tasks.target, [FakeChannel()], now_ms=clock) as running:
        yield running


def user(name: str = "demo") -> tuple[tuple[str, str]]:
    return (("x-consumer-username", name),)


async def listed(service: Running, name: str = "demo", **arguments: Any) -> notify_pb2.ListNotificationsResponse:
    answer = await service.stub.ListNotifications(
        notify_pb2.ListNotificationsRequest(**arguments), metadata=user(name), timeout=5
    )
    assert isinstance(answer, notify_pb2.ListNotificationsResponse)
    return answer


async def mark(service: Running, name: str = "demo", **arguments: Any) -> None:
    request = notify_pb2.MarkNotificationsReadRequest(**arguments)
    await service.stub.MarkNotificationsRead(request, metadata=user(name), timeout=5)


def numbers(answer: notify_pb2.ListNotificationsResponse) -> Iterator[int]:
    return (int(notification.task_id[4:]) for notification in answer.notifications)


async def test_pages_follow_each_other_newest_first_even_within_one_millisecond(service: Running) -> None:
    times = {number: OCCURRED_MS - number // 5 for number in range(23)}
    await publish(service.redis, *(created(number, at_ms=at) for number, at in times.items()))
    await eventually(service.all_acknowledged)
    seen, token = list[int](), ""
    while True:
        page = await listed(service, page_size=4, page_token=token)
        seen += numbers(page)
        assert page.unread_count == 23
        token = page.next_page_token
        if not token:
            break
    assert seen == sorted(times, key=lambda number: (times[number], number), reverse=True)


async def test_a_notification_says_what_happened_and_how_it_was_delivered(service: Running) -> None:
    await publish(service.redis, created(3, title="Milch"))
    await eventually(service.all_acknowledged)
    (shown,) = (await listed(service)).notifications
    assert (shown.id, shown.title) == (created(3).event_id, "Milch")
    assert shown.kind == notify_pb2.NOTIFICATION_KIND_TASK_CREATED
    assert shown.create_time.ToMilliseconds() == OCCURRED_MS
    assert not shown.HasField("read_time")
    (delivery,) = shown.deliveries
    assert (delivery.channel, delivery.attempts) == ("fake", 1)
    assert delivery.outcome == notify_pb2.DELIVERY_OUTCOME_DELIVERED
    assert delivery.time.ToMilliseconds() == OCCURRED_MS


async def test_page_sizes_have_a_default_and_a_limit(service: Running) -> None:
    await publish(service.redis, *map(created, range(210)))
    await eventually(service.all_acknowledged)
    assert len((await listed(service)).notifications) == 50
    assert len((await listed(service, page_size=1000)).notifications) == 200
    async with refused() as refusal:
        await listed(service, page_size=-1)
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert list(refusal.violations) == ["page_size"]


async def test_users_cannot_see_or_mark_notifications_of_others(service: Running) -> None:
    await publish(service.redis, created(1, owner="ann"), created(2, owner="ann"), created(3, owner="bob"))
    await eventually(service.all_acknowledged)
    assert list(numbers(await listed(service, "ann"))) == [2, 1]
    assert list(numbers(await listed(service, "bob"))) == [3]

    await mark(service, "bob", ids=[created(1).event_id])
    await mark(service, "bob", all=True)
    assert (await listed(service, "ann")).unread_count == 2

    token = (await listed(service, "ann", page_size=1)).next_page_token
    async with refused() as refusal:
        await listed(service, "bob", page_token=token)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN")


@pytest.mark.parametrize("token", ["x", "%%%", "AAAA", "é", "A" * 5000, "bm90aGluZyBvZiB0aGUga2luZA"])
async def test_a_forged_page_token_is_refused(service: Running, token: str) -> None:
    async with refused() as refusal:
        await listed(service, page_token=token)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN")


async def test_the_read_time_is_that_of_the_first_mark(service: Running, clock: Clock) -> None:
    await publish(service.redis, *map(created, range(3)))
    await eventually(service.all_acknowledged)
    await mark(service, ids=[created(1).event_id, "no such thing"])
    clock.ms += 1000
    await mark(service, ids=[created(1).event_id])
    await mark(service, all=True)

    answer = await listed(service)
    assert answer.unread_count == 0
    assert [n.read_time.ToMilliseconds() - OCCURRED_MS for n in answer.notifications] == [1000, 0, 1000]


@pytest.mark.parametrize("arguments", [{}, {"ids": ["x"], "all": True}, {"ids": ["x"] * 1001}])
async def test_marking_requires_ids_or_all(service: Running, arguments: dict[str, Any]) -> None:
    async with refused() as refusal:
        await mark(service, **arguments)
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert list(refusal.violations) == ["ids"]


async def test_a_caller_without_a_name_is_refused(service: Running) -> None:
    async with refused() as refusal:
        await service.stub.ListNotifications(notify_pb2.ListNotificationsRequest())
    assert refusal.code is grpc.StatusCode.UNAUTHENTICATED


async def test_an_inbox_keeps_the_newest_thousand_and_still_knows_the_others(
    service: Running, tasks: FakeTaskEvents
) -> None:
    await publish(service.redis, *(created(number, at_ms=OCCURRED_MS + number) for number in range(1010)))
    await eventually(service.all_acknowledged)
    answer = await listed(service, page_size=1)
    assert answer.unread_count == 1000
    assert await service.redis.zcard("inbox:demo") == 1000
    assert await service.redis.hlen(f"event:{created(0).event_id}") == 1

    await publish(service.redis, created(0))
    await eventually(service.all_acknowledged)
    assert await service.redis.zcard("inbox:demo") == 1000
    assert service.metric("events_duplicate_total") == 1
    assert tasks.confirmed[created(0).event_id] == 2


async def test_after_thirty_days_a_notification_is_removed(service: Running, clock: Clock) -> None:
    await publish(service.redis, created(1), created(2, at_ms=OCCURRED_MS + DAY_MS))
    await eventually(service.all_acknowledged)
    clock.ms += 30 * DAY_MS + 1
    answer = await listed(service)
    assert list(numbers(answer)) == [2]
    assert answer.unread_count == 1


async def test_a_position_that_left_the_inbox_ends_the_paging_where_it_should(service: Running, clock: Clock) -> None:
    await publish(service.redis, *(created(number, at_ms=OCCURRED_MS + number) for number in range(4)))
    await eventually(service.all_acknowledged)
    token = (await listed(service, page_size=2)).next_page_token
    await service.redis.zrem("inbox:demo", created(2).event_id)
    assert list(numbers(await listed(service, page_token=token))) == [1, 0]


async def test_calls_fail_within_three_seconds_while_the_queue_is_unavailable(
    tmp_path: Path, tasks: FakeTaskEvents
) -> None:
    server = Valkey(tmp_path)
    server.start()
    try:
        async with serving(server.url, tasks.target, [FakeChannel()]) as service:
            await listed(service)
            server.kill()
            async with refused() as refusal:
                await service.stub.ListNotifications(
                    notify_pb2.ListNotificationsRequest(), metadata=user(), timeout=3.5
                )
            assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "QUEUE_UNAVAILABLE")
    finally:
        server.kill()
