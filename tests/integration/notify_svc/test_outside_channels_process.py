"""The service as a process with outside channels: it rejects invalid ones at startup, and never shows their URLs."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from notify.v1 import dead_letters_pb2, dead_letters_pb2_grpc, notify_pb2, notify_pb2_grpc
from redis.asyncio import Redis

from tests.support.notify_svc.fake_task_events import FakeTaskEvents, fake_task_events
from tests.support.notify_svc.notifier import becomes
from tests.support.notify_svc.notify_process import notify_process
from tests.support.notify_svc.sink import drip, raw, silence, sink, status
from tests.support.notify_svc.task_events import created, publish
from tests.support.valkey import Valkey

SECRET = "the-password-in-the-url"
EVENT_ID = created(1).event_id
QUICK = {"NOTIFY_RETRY_FIRST_SECONDS": "0.01", "NOTIFY_MAX_ATTEMPTS": "2", "NOTIFY_DELIVERY_POLL_SECONDS": "0.05"}


@pytest.fixture
async def tasks() -> AsyncIterator[FakeTaskEvents]:
    async with fake_task_events() as fake:
        yield fake


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"team file:///tmp/{SECRET}", "channel team: the URL scheme 'file' is not supported"),
        (f"team json://user:{SECRET}@example.org", "channel team: json is not encrypted"),
        (f"team slack://{SECRET}", "channel team: the URL is not valid for slack"),
        (f"jsons://user:{SECRET}@example.org", "line 1 must be `name url`"),
    ],
)
def test_a_channel_that_is_not_allowed_stops_the_service_with_status_2_and_a_reason(
    tmp_path: Path, line: str, reason: str
) -> None:
    path = tmp_path / "channels"
    path.write_text(line)
    process = subprocess.run(
        [sys.executable, "-m", "notify_svc"],
        env={"NOTIFY_CHANNELS_FILE": str(path), "LOG_LEVEL": "debug"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert process.returncode == 2
    assert process.stderr.startswith("NOTIFY_CHANNELS_FILE: ")
    assert reason in process.stderr
    assert SECRET not in process.stderr + process.stdout


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "notify_svc"],
        env={"NOTIFY_CHANNELS_FILE": str(tmp_path / "nowhere")},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert process.returncode == 2
    assert f"cannot read {tmp_path / 'nowhere'}: No such file" in process.stderr


async def test_it_delivers_without_secrets_in_logs_metrics_or_responses(
    valkey: Valkey, tasks: FakeTaskEvents, tmp_path: Path
) -> None:
    answers = raw("HTTP/1.1 500 Status\r\nno header\r\nX: y\r\n\r\n"), status(500, f"{SECRET} in the answer")
    async with sink() as good, sink(*answers) as bad:
        channels = tmp_path / "channels"
        channels.write_text(
            f"good json://user:{SECRET}@127.0.0.1:{good.port}/{SECRET}?+X-Token={SECRET}\n"
            f"bad json://user:{SECRET}@127.0.0.1:{bad.port}/{SECRET}\n"
        )
        variables = {**QUICK, "NOTIFY_CHANNELS_FILE": str(channels), "LOG_LEVEL": "debug"}
        async with (
            Redis.from_url(valkey.url) as redis,
            notify_process(valkey.url, tasks.target, tmp_path / "log", **variables) as process,
            grpc.aio.insecure_channel(f"127.0.0.1:{process.port}") as channel,
        ):
            await publish(redis, created(1))
            await becomes(lambda: tasks.confirmed[EVENT_ID] == 1)
            assert (good.keys, bad.keys) == ([EVENT_ID], [EVENT_ID] * 2)
            assert good.hits[0].headers["x-token"] == SECRET

            shown = await notify_pb2_grpc.NotificationServiceStub(channel).ListNotifications(
                notify_pb2.ListNotificationsRequest(), metadata=(("x-consumer-username", "demo"),), timeout=10
            )
            assert [each.channel for each in shown.notifications[0].deliveries] == ["bad", "console", "good"]
            letters = await dead_letters_pb2_grpc.DeadLetterServiceStub(channel).ListDeadLetters(
                dead_letters_pb2.ListDeadLettersRequest(), timeout=10
            )
            assert [letter.detail for letter in letters.dead_letters] == ["HTTP status 500"]
            metrics = process.metrics()
            assert 'notifications_total{channel="bad",outcome="gave_up"} 1.0' in metrics
            assert await process.stop() == 0
            kept = [await redis.dump(key) for key in await redis.keys()]
            for text in (process.log(), metrics, str(shown), str(letters), str(kept)):
                assert SECRET not in text
                assert f"{good.port}/" not in text
            failed = [json.loads(line) for line in process.log().splitlines() if '"delivery failed"' in line]
            assert [line["channel"] for line in failed] == ["bad"]


async def test_killed_while_a_target_responds_its_delivery_is_repeated_with_the_same_id(
    valkey: Valkey, tasks: FakeTaskEvents, tmp_path: Path
) -> None:
    async with sink(silence) as target:
        channels = tmp_path / "channels"
        channels.write_text(f"hook {target.url}\n")
        variables = {
            "NOTIFY_CHANNELS_FILE": str(channels),
            "NOTIFY_CLAIM_IDLE_SECONDS": "0.1",
            "NOTIFY_DELIVERY_TIMEOUT_SECONDS": "1.9",
            "NOTIFY_DELIVERY_LEASE_SECONDS": "2",
        }
        async with Redis.from_url(valkey.url) as redis:
            async with notify_process(valkey.url, tasks.target, tmp_path / "first", **variables) as process:
                await publish(redis, created(1))
                await becomes(lambda: len(target.hits) == 1, within=30)  # includes the start of the process
                process.kill()
            async with notify_process(valkey.url, tasks.target, tmp_path / "second", **variables) as process:
                await becomes(lambda: tasks.confirmed[EVENT_ID] >= 1, within=30)
                assert target.keys == [EVENT_ID, EVENT_ID]
                assert await process.stop() == 0


async def test_it_stops_cleanly_while_a_target_responds_slowly(
    valkey: Valkey, tasks: FakeTaskEvents, tmp_path: Path
) -> None:
    async with sink(default=drip("HTTP/1.1 200 OK\r\nX-Slow: ")) as target:
        channels = tmp_path / "channels"
        channels.write_text(f"slow {target.url}\n")
        async with (
            Redis.from_url(valkey.url) as redis,
            notify_process(valkey.url, tasks.target, tmp_path / "log", NOTIFY_CHANNELS_FILE=str(channels)) as process,
        ):
            await publish(redis, created(1))
            await becomes(lambda: len(target.hits) == 1, within=30)
            assert await process.stop() == 0
            assert "Traceback" not in process.log()
