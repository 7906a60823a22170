"""Outside channels deliver over real HTTP, and a failing target delays only its own channel."""

import asyncio
import contextlib
import shutil
import ssl
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from notify.v1 import dead_letters_pb2
from structlog.testing import capture_logs

from notify_svc.delivery import apprise_channel
from notify_svc.delivery.apprise_channel import AppriseChannel
from notify_svc.delivery.channel import DeliveryFailed
from notify_svc.delivery.channel_file import ConfiguredChannel
from notify_svc.domain import Kind, Notification, Outcome
from tests.support.eventually import eventually
from tests.support.notify_svc.fake_task_events import FakeTaskEvents, fake_task_events
from tests.support.notify_svc.notifier import FakeChannel, Running, becomes, running, serving
from tests.support.notify_svc.sink import Answer, drip, long, silence, sink, status
from tests.support.notify_svc.task_events import created, publish
from tests.support.ports import free_port
from tests.support.valkey import Valkey

EVENT_ID = created(1).event_id
PATIENT: dict[str, Any] = {"delivery_timeout_seconds": 5.0, "delivery_lease_seconds": 10.0}
"""Enough time for a successful attempt on a busy machine."""
NOTIFICATION = Notification(EVENT_ID, Kind.TASK_CREATED, "demo", created(1).task.id, "Buy milk", 0)
NASTY = '<img src=x onerror=alert(1)> **b** [x](javascript:1) @everyone\n\ndata: "x"\r\nX-Forged: 1'


@pytest.fixture
async def tasks() -> AsyncIterator[FakeTaskEvents]:
    async with fake_task_events() as fake:
        yield fake


def outside(url: str, *, timeout_seconds: float = 5.0) -> AppriseChannel:
    return AppriseChannel(ConfiguredChannel("hook", url), timeout_seconds)


async def dead_letter_detail(service: Running) -> str:
    (letter,) = (await service.dead_letters()).values()
    assert letter[b"reason"] == b"gave_up"
    return letter[b"detail"].decode()


def threads() -> int:
    return sum(thread.name == "channel hook" for thread in threading.enumerate())


# Requests


async def test_a_notification_arrives_once_with_its_events_id(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    async with sink() as target, running(valkey.url, tasks.target, [outside(target.url)], **PATIENT) as service:
        await publish(service.redis, created(1))
        await eventually(service.all_acknowledged)
        (hit,) = target.hits
        assert hit.line == "POST /hook HTTP/1.1"
        assert hit.headers["idempotency-key"] == EVENT_ID
        assert hit.message["title"] == "Task created"
        assert hit.message["message"] == f'demo: task created "Buy milk" ({created(1).task.id})\nEvent {EVENT_ID}'
        ((delivery,),) = [notification.deliveries for notification in await service.listed()]
        assert (delivery.channel, delivery.outcome, delivery.attempts) == ("hook", Outcome.DELIVERED, 1)


@pytest.mark.parametrize("kind", ["json", "xml", "form", "ntfy", "gotify"])
async def test_text_of_a_user_arrives_as_text_and_cannot_inject_a_header(
    valkey: Valkey, tasks: FakeTaskEvents, kind: str
) -> None:
    async with sink() as target:
        url = f"{kind}://127.0.0.1:{target.port}/AbcdefghijklmnO"
        async with running(valkey.url, tasks.target, [outside(url)], **PATIENT) as service:
            await publish(service.redis, created(1, title=NASTY))
            await becomes(lambda: len(target.hits) == 1)
            (hit,) = target.hits
            assert "x-forged" not in hit.headers
            assert not any("img" in value for value in hit.headers.values())
            if kind == "json":
                assert '"<img src=x onerror=alert(1)> **b** [x](javascript:1)' in hit.message["message"]
                assert r"\n\ndata: \"x\"\r\nX-Forged: 1" in hit.message["message"]
            if kind == "xml":
                assert b"&lt;img src=x" in hit.body
                assert b"<img" not in hit.body


async def test_proxies_in_the_environment_are_ignored(
    valkey: Valkey, tasks: FakeTaskEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with sink() as target, running(valkey.url, tasks.target, [outside(target.url)], **PATIENT) as service:
        await publish(service.redis, created(1))
        await becomes(lambda: target.keys == [EVENT_ID])


# Failing targets


async def test_a_failing_target_is_retried_with_the_same_id_after_pauses_with_jitter(
    valkey: Valkey, tasks: FakeTaskEvents
) -> None:
    settings = {**PATIENT, "retry_first_seconds": 0.04, "retry_longest_seconds": 0.06}
    async with (
        sink(status(500), status(503), status(400)) as target,
        running(valkey.url, tasks.target, [outside(target.url)], **{**settings, "max_attempts": 4}) as service,
    ):
        with capture_logs() as lines:
            await publish(service.redis, created(1))
            await eventually(service.all_acknowledged)
        assert target.keys == [EVENT_ID] * 4
        failed = [line for line in lines if line["event"] == "delivery failed"]
        assert [line["error"] for line in failed] == ["HTTP status 500", "HTTP status 503", "HTTP status 400"]
        for line, pause in zip(failed, (40, 60, 60), strict=True):
            assert pause * 0.5 - 1 <= line["pause_ms"] <= pause * 1.5
        assert service.metric("notifications_total", channel="hook", outcome="delivered") == 1


async def test_the_pause_that_a_busy_target_requests_is_kept_up_to_the_longest(
    valkey: Valkey, tasks: FakeTaskEvents
) -> None:
    settings = {**PATIENT, "retry_longest_seconds": 0.5}
    async with (
        sink(status(429, Retry_After="3600")) as target,
        running(valkey.url, tasks.target, [outside(target.url)], **settings) as service,
    ):
        with capture_logs() as lines:
            await publish(service.redis, created(1))
            await eventually(service.all_acknowledged)
        (failed,) = [line for line in lines if line["event"] == "delivery failed"]
        assert (failed["error"], failed["pause_ms"]) == ("HTTP status 429", 500)
        first, second = target.hits
        assert second.time - first.time > 0.45


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (silence, "timed out"),
        (drip("HTTP/1.1 200 OK\r\nX-Slow: "), "timed out"),
        (drip("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"), "timed out"),
        (status(500, "the secret of the target"), "HTTP status 500"),
        (status(200, "x" * 10, Content_Encoding="gzip"), "connection broke"),
    ],
    ids=["silent", "slow headers", "slow body", "fails", "invalid body"],
)
async def test_a_broken_target_is_given_up_and_disconnected_without_delaying_others(
    valkey: Valkey, tasks: FakeTaskEvents, answer: Answer, detail: str
) -> None:
    settings = {"delivery_timeout_seconds": 0.4, "delivery_lease_seconds": 5.0, "max_attempts": 2}
    other = FakeChannel("other")
    async with (
        sink(default=answer) as target,
        running(valkey.url, tasks.target, [outside(target.url, timeout_seconds=0.3), other], **settings) as service,
    ):
        begun = time.monotonic()
        await publish(service.redis, created(1))
        await becomes(lambda: len(other.delivered) == 1)
        await publish(service.redis, *map(created, range(2, 6)))
        await becomes(lambda: len(other.delivered) == 5)

        await eventually(service.all_acknowledged)
        assert time.monotonic() - begun < 8
        assert target.keys.count(EVENT_ID) == 2
        letters = (await service.dead_letters()).values()
        assert len(letters) == 5
        assert all(detail in letter[b"detail"].decode() for letter in letters)
        assert not any(b"secret" in value for letter in letters for value in letter.values())
        await becomes(lambda: target.open == 0)
        await becomes(lambda: threads() == 0)


async def test_a_redirect_to_an_inner_address_is_not_followed(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    for code in (301, 302, 303, 307, 308):
        valkey.clear()
        async with sink() as inner:
            answer = status(code, Location=f"http://127.0.0.1:{inner.port}/admin")
            async with (
                sink(default=answer) as target,
                running(valkey.url, tasks.target, [outside(target.url)], **PATIENT) as service,
            ):
                await publish(service.redis, created(1))
                await eventually(service.all_acknowledged)
                assert await dead_letter_detail(service) == f"HTTP status {code}"
                assert len(target.hits) == 3
                assert not inner.hits


async def test_only_the_beginning_of_a_long_response_is_read(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    sent_all = asyncio.Event()
    async with (
        sink(long(256 * 1024 * 1024, sent_all)) as target,
        running(valkey.url, tasks.target, [outside(target.url)], **PATIENT) as service,
    ):
        await publish(service.redis, created(1))
        await eventually(service.all_acknowledged)
        await becomes(lambda: target.open == 0)
        assert not sent_all.is_set()
        assert service.metric("notifications_total", channel="hook", outcome="delivered") == 1


async def test_a_target_that_refuses_connections_is_given_up(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    url = f"json://127.0.0.1:{free_port()}"
    async with running(valkey.url, tasks.target, [outside(url)], **PATIENT) as service:
        await publish(service.redis, created(1))
        await eventually(service.all_acknowledged)
        assert await dead_letter_detail(service) == "cannot connect, or the connection broke"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="creates its certificate with openssl")
async def test_a_target_with_an_untrusted_certificate_receives_nothing(
    valkey: Valkey, tasks: FakeTaskEvents, tmp_path: Path
) -> None:
    async with sink(tls=await self_signed(tmp_path)) as target:
        url = f"jsons://127.0.0.1:{target.port}"
        async with running(valkey.url, tasks.target, [outside(url)], **PATIENT) as service:
            await publish(service.redis, created(1))
            await eventually(service.all_acknowledged)
            assert await dead_letter_detail(service) == "the TLS handshake failed; check the server's certificate"
            assert not target.hits


async def self_signed(directory: Path) -> ssl.SSLContext:
    """Return the TLS context of a server with a self-signed certificate."""
    key, certificate = directory / "key", directory / "certificate"
    process = await asyncio.create_subprocess_exec(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=127.0.0.1"),
        *("-addext", "subjectAltName=IP:127.0.0.1"),
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == 0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


# A long outage of a target


async def test_notifications_that_a_dead_target_missed_are_replayed_once(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    async with (
        sink(*[status(500)] * 6) as target,
        serving(valkey.url, tasks.target, [outside(target.url)], **PATIENT) as service,
    ):
        await publish(service.redis, created(1), created(2))
        await eventually(service.all_acknowledged)
        assert len(await service.dead_letters()) == 2
        assert len(target.hits) == 6

        request = dead_letters_pb2.ReplayDeadLettersRequest(all=True)
        assert (await service.letters.ReplayDeadLetters(request, timeout=5)).replayed_count == 2
        assert (await service.letters.ReplayDeadLetters(request, timeout=5)).replayed_count == 0
        await becomes(lambda: all(tasks.confirmed[created(number).event_id] == 2 for number in (1, 2)))
        assert sorted(target.keys[6:]) == [created(1).event_id, created(2).event_id]
        assert await service.dead_letters() == {}


# Attempts that hang


async def test_a_slow_mail_server_is_disconnected_at_the_timeout() -> None:
    port, connections = free_port(), list[asyncio.StreamWriter]()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        with contextlib.suppress(OSError):
            await drip("220 ")(reader, writer)
        connections.remove(writer)

    async with await asyncio.start_server(greet, "127.0.0.1", port):
        channel = outside(f"mailtos://user:password@127.0.0.1:{port}?from=a@example.org&to=b@example.org")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await channel.deliver(NOTIFICATION)
        await becomes(lambda: threads() == 0)
        await becomes(lambda: not connections)


async def test_attempts_that_hang_forever_do_not_accumulate(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    class Hanging:
        def notify(self, **_given: object) -> bool:
            return released.wait(20)

    monkeypatch.setattr(apprise_channel, "new_plugin", lambda _url: Hanging())
    channel = outside("json://127.0.0.1")
    try:
        for _ in range(channel.concurrency):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await channel.deliver(NOTIFICATION)
        with pytest.raises(DeliveryFailed, match="earlier attempts"):
            await channel.deliver(NOTIFICATION)
        assert threads() == channel.concurrency
    finally:
        released.set()
    await becomes(lambda: threads() == 0)
    await channel.deliver(NOTIFICATION)
