"""The service as a process: it starts without its dependencies, stops on SIGTERM, and loses nothing on SIGKILL."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from notify.v1 import notify_pb2, notify_pb2_grpc
from redis.asyncio import Redis

from tests.support.eventually import eventually
from tests.support.notify_svc.fake_task_events import FakeTaskEvents, fake_task_events
from tests.support.notify_svc.notifier import FakeChannel, becomes, running, wall_clock_ms
from tests.support.notify_svc.notify_process import notify_process
from tests.support.notify_svc.task_events import created, publish
from tests.support.ports import free_port
from tests.support.valkey import Valkey


@pytest.fixture
async def tasks() -> AsyncIterator[FakeTaskEvents]:
    async with fake_task_events() as fake:
        yield fake


async def test_it_logs_a_notification_in_one_line_and_exits_with_status_0(
    valkey: Valkey, tasks: FakeTaskEvents, tmp_path: Path
) -> None:
    async with (
        Redis.from_url(valkey.url) as redis,
        notify_process(valkey.url, tasks.target, tmp_path / "log") as process,
        grpc.aio.insecure_channel(f"127.0.0.1:{process.port}") as channel,
    ):
        await publish(redis, created(1))
        await becomes(lambda: tasks.confirmed[created(1).event_id] == 1)
        answer = await notify_pb2_grpc.NotificationServiceStub(channel).ListNotifications(
            notify_pb2.ListNotificationsRequest(),
            metadata=(("x-consumer-username", "demo"),),
            wait_for_ready=True,
            timeout=10,
        )
        assert answer.unread_count == 1
        assert 'notifications_total{channel="console",outcome="delivered"} 1.0' in process.metrics()
        assert 'notifications_total{channel="console",outcome="gave_up"} 0.0' in process.metrics()
        assert 'dead_lettered_total{reason="malformed"} 0.0' in process.metrics()
        assert await process.stop() == 0

        lines = [json.loads(line) for line in process.log().splitlines()]
        (notified,) = [line for line in lines if line["event"] == "notification"]
        assert notified["text"] == f'demo: task created "Buy milk" ({created(1).task.id})'
        assert (notified["user"], notified["request_id"]) == ("demo", "request-1")
        assert notified["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
        assert "Traceback" not in process.log()


async def test_killed_before_its_confirmation_it_has_notified_once_and_another_confirms(
    valkey: Valkey, tasks: FakeTaskEvents, tmp_path: Path
) -> None:
    tasks.hangs = True
    async with Redis.from_url(valkey.url) as redis:
        async with notify_process(valkey.url, tasks.target, tmp_path / "log") as process:
            await publish(redis, created(1))
            await process.says('"event":"notification"')
            await becomes(tasks.asked.is_set)
            process.kill()
        tasks.hangs = False
        channel = FakeChannel("console")
        async with running(valkey.url, tasks.target, [channel], claim_idle_seconds=0.1) as second:
            await eventually(second.all_acknowledged)
            assert not channel.delivered
            assert second.metric("events_duplicate_total") == 1
        assert tasks.confirmed[created(1).event_id] == 1


async def test_killed_while_a_channel_hangs_its_notification_is_delivered_by_another(
    valkey: Valkey, tasks: FakeTaskEvents
) -> None:
    # A separate process cannot have a hanging channel. A killed process leaves a lease, as `first` does here.
    hanging = FakeChannel("console", hangs=True)
    settings = {"delivery_timeout_seconds": 50, "delivery_lease_seconds": 51}
    async with running(valkey.url, tasks.target, [hanging], **settings) as first:
        await publish(first.redis, created(1))
        await becomes(lambda: hanging.attempts == 1)
    later = FakeChannel("console")
    async with running(valkey.url, tasks.target, [later], now_ms=in_a_minute) as second:
        await eventually(second.all_acknowledged)
        assert len(later.delivered) == 1
        assert len(await second.listed()) == 1


def in_a_minute() -> int:
    return wall_clock_ms() + 60_000


async def test_it_waits_for_a_queue_that_is_not_available_yet(tasks: FakeTaskEvents, tmp_path: Path) -> None:
    late = Valkey(tmp_path)
    async with notify_process(late.url, tasks.target, tmp_path / "log") as process:
        await process.says("not ready")
        late.start()
        try:
            await process.says('"event":"ready"')
            assert await process.stop() == 0
        finally:
            late.kill()


async def test_it_stops_cleanly_while_queue_and_task_service_are_unavailable(tmp_path: Path) -> None:
    unused = f"127.0.0.1:{free_port()}"
    async with notify_process(f"redis://{unused}/0", unused, tmp_path / "log") as process:
        await process.says("not ready")
        assert await process.stop() == 0
        assert "Traceback" not in process.log()
