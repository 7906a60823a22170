"""Operators list, replay and discard dead letters, through the real gRPC server."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest
from notify.v1 import dead_letters_pb2
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from chassis.errors import DeadlineExceeded
from chassis.grpc_api import deadlines
from notify_svc.domain import KEEP_MS, Outcome
from notify_svc.events import decode
from notify_svc.metrics import NotifyMetrics
from notify_svc.storage import redis_client, redis_keys
from notify_svc.storage.dead_letter_admin import DeadLetterAdmin
from tests.support.eventually import eventually
from tests.support.notify_svc.fake_task_events import FakeTaskEvents, fake_task_events
from tests.support.notify_svc.notifier import Clock, FakeChannel, Running, becomes, serving, wall_clock_ms
from tests.support.notify_svc.task_events import OCCURRED_MS, created, publish
from tests.support.statuses import refused
from tests.support.valkey import Valkey

EVENT_ID = created(1).event_id
AT_ONCE: dict[str, Any] = {"max_attempts": 1, "delivery_poll_seconds": 60}
"""A delivery is given up after one attempt, and a channel does not poll during the test."""


@pytest.fixture
async def tasks() -> AsyncIterator[FakeTaskEvents]:
    async with fake_task_events() as fake:
        yield fake


@pytest.fixture
def channel() -> FakeChannel:
    return FakeChannel()


@pytest.fixture
async def service(valkey: Valkey, tasks: FakeTaskEvents, channel: FakeChannel) -> AsyncIterator[Running]:
    async with serving(valkey.url, tasks.target, [channel], **AT_ONCE) as running:
        yield running


async def listed(service: Running, **arguments: Any) -> dead_letters_pb2.ListDeadLettersResponse:
    request = dead_letters_pb2.ListDeadLettersRequest(**arguments)
    answer = await service.letters.ListDeadLetters(request, timeout=5)
    assert isinstance(answer, dead_letters_pb2.ListDeadLettersResponse)
    return answer


async def keys_of(service: Running) -> list[str]:
    return [letter.key for letter in (await listed(service, page_size=200)).dead_letters]


async def replay(service: Running, *keys: str, **arguments: Any) -> dead_letters_pb2.ReplayDeadLettersResponse:
    request = dead_letters_pb2.ReplayDeadLettersRequest(keys=keys, **arguments)
    answer = await service.letters.ReplayDeadLetters(request, timeout=20)
    assert isinstance(answer, dead_letters_pb2.ReplayDeadLettersResponse)
    return answer


async def discard(service: Running, *keys: str, **arguments: Any) -> int:
    request = dead_letters_pb2.DiscardDeadLettersRequest(keys=keys, **arguments)
    answer = await service.letters.DiscardDeadLetters(request, timeout=20)
    return int(answer.discarded_count)


async def invalid(service: Running, count: int, event: bytes = b"\xff") -> list[str]:
    """Add invalid entries to the stream; return the keys of their dead letters."""
    before = await service.redis.zcard(redis_keys.DEAD_LETTERS)
    fields: dict[Any, Any] = {"id": EVENT_ID, "event": event}
    keys: list[Any] = [await service.redis.xadd(redis_keys.EVENTS, fields) for _ in range(count)]
    await eventually(lambda: has_letters(service, before + count))
    await eventually(service.all_acknowledged)
    return [key.decode() for key in keys]


async def has_letters(service: Running, count: int) -> bool:
    return bool(await service.redis.zcard(redis_keys.DEAD_LETTERS) == count)


async def rejected_by_an_old_release(service: Running, monkeypatch: pytest.MonkeyPatch, *numbers: int) -> list[str]:
    """Publish valid events that an older release dead-letters, because it does not support their version."""
    with monkeypatch.context() as patch:
        patch.setattr(decode, "SCHEMA_VERSION", 0)
        keys = await publish(service.redis, *map(created, numbers))
        await eventually(lambda: has_letters(service, len(numbers)))
        await eventually(service.all_acknowledged)
    return [key.decode() for key in keys]


async def given_up(service: Running, *numbers: int) -> list[str]:
    """Publish events whose deliveries fail and are given up; return the ids of their entries."""
    entries = await publish(service.redis, *map(created, numbers))
    await eventually(service.all_acknowledged)
    return [entry.decode() for entry in entries]


# Listing


async def test_pages_are_oldest_first_even_if_dead_letters_of_one_millisecond_are_removed_meanwhile(
    valkey: Valkey, tasks: FakeTaskEvents, channel: FakeChannel
) -> None:
    clock = Clock()
    async with serving(valkey.url, tasks.target, [channel], now_ms=clock) as service:
        keys = await invalid(service, 20)
        clock.ms += 1
        keys += await invalid(service, 5)

        seen, token, there_are = list[str](), "", 25
        while True:
            page = await listed(service, page_size=4, page_token=token)
            assert page.total_count == there_are
            seen += [letter.key for letter in page.dead_letters]
            token = page.next_page_token
            if not token:
                break
            # the dead letter in the token, and one before it
            there_are -= await discard(service, seen[-1], seen[-3])
        assert seen == sorted(keys)  # ordered by time, then by the bytes of the key


async def test_a_dead_letter_has_its_event_reason_time_and_attempts(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    clock, settings = Clock(), {"retry_first_seconds": 0.0001, "retry_longest_seconds": 0.0001}
    async with serving(
        valkey.url, tasks.target, [FakeChannel("dead", failures=3)], now_ms=clock, **settings
    ) as service:
        (entry,) = await publish(service.redis, created(7))
        await eventually(lambda: has_letters(service, 1))
        clock.ms += 5000
        (poisoned,) = await invalid(service, 1)

        given_up_by_a_channel, unreadable = (await listed(service)).dead_letters
        assert given_up_by_a_channel.key == f"{entry.decode()}/dead"
        assert (given_up_by_a_channel.reason, given_up_by_a_channel.channel) == ("gave_up", "dead")
        assert (given_up_by_a_channel.attempts, given_up_by_a_channel.event) == (3, b"")
        assert given_up_by_a_channel.event_id == created(7).event_id
        assert "not now" in given_up_by_a_channel.detail
        assert given_up_by_a_channel.time.ToMilliseconds() == OCCURRED_MS

        assert (unreadable.key, unreadable.reason, unreadable.channel) == (poisoned, "malformed", "")
        assert (unreadable.attempts, unreadable.event, unreadable.event_id) == (1, b"\xff", EVENT_ID)
        assert "not a TaskEvent" in unreadable.detail
        assert unreadable.time.ToMilliseconds() == OCCURRED_MS + 5000


async def test_a_page_of_long_letters_ends_at_two_mebibytes(service: Running) -> None:
    keys = await invalid(service, 40, b"\xff" * 60_000)
    first = await listed(service, page_size=200)
    assert 30 < len(first.dead_letters) < 36
    second = await listed(service, page_size=200, page_token=first.next_page_token)
    assert not second.next_page_token
    assert [letter.key for letter in (*first.dead_letters, *second.dead_letters)] == keys


async def test_page_sizes_have_a_default_and_a_limit(service: Running) -> None:
    await invalid(service, 210)
    assert len((await listed(service)).dead_letters) == 50
    assert len((await listed(service, page_size=2**31 - 1)).dead_letters) == 200
    async with refused() as refusal:
        await listed(service, page_size=-1)
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert list(refusal.violations) == ["page_size"]


@pytest.mark.parametrize("token", ["x", "%%%", "AAAA", "é", "A" * 5000, "bm90aGluZyBvZiB0aGUga2luZA"])
async def test_a_forged_page_token_is_refused(service: Running, token: str) -> None:
    async with refused() as refusal:
        await listed(service, page_token=token)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN")


async def test_without_dead_letters_the_page_is_empty(service: Running) -> None:
    assert await listed(service) == dead_letters_pb2.ListDeadLettersResponse()


# Replaying events


async def test_an_event_that_a_later_release_understands_notifies_once_when_it_is_replayed(
    service: Running, channel: FakeChannel, tasks: FakeTaskEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    (key,) = await rejected_by_an_old_release(service, monkeypatch, 1)
    assert not channel.delivered
    with capture_logs() as lines:
        assert (await replay(service, key)).replayed_count == 1
        await becomes(lambda: tasks.confirmed[EVENT_ID] == 2)
        await eventually(service.all_acknowledged)
    assert [notification.id for notification in channel.delivered] == [EVENT_ID]
    assert [notification.id for notification in await service.listed()] == [EVENT_ID]
    assert await keys_of(service) == []
    assert not await service.redis.exists(redis_keys.dead_letter_key(key))
    assert service.metric("dead_letters_replayed_total") == 1
    (line,) = [line for line in lines if line["event"] == "replayed dead letters"]
    assert (line["log_level"], line["replayed"], line["not_replayable"]) == ("info", 1, 0)


async def test_replaying_twice_has_the_effect_of_once(
    service: Running, channel: FakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = await rejected_by_an_old_release(service, monkeypatch, 1, 2, 3)
    assert (await replay(service, *keys, keys[0])).replayed_count == 3
    assert (await replay(service, *keys)).replayed_count == 0
    assert (await replay(service, all=True)).replayed_count == 0
    await becomes(lambda: len(channel.delivered) == 3)
    await eventually(service.all_acknowledged)
    assert await service.redis.xlen(redis_keys.EVENTS) == 6
    assert len(channel.delivered) == 3


async def test_concurrent_replays_have_one_effect(
    service: Running, channel: FakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = await rejected_by_an_old_release(service, monkeypatch, *range(150))
    some = (replay(service, *keys) for _ in range(5))
    everything = (replay(service, all=True) for _ in range(5))
    answers = await asyncio.gather(*some, *everything)
    assert sum(answer.replayed_count for answer in answers) == 150
    await becomes(lambda: len(channel.delivered) == 150)
    await eventually(service.all_acknowledged)
    assert await service.redis.xlen(redis_keys.EVENTS) == 300
    assert len(await service.listed()) == len(channel.delivered) == 150


async def test_a_script_that_is_retried_after_a_lost_response_has_one_effect(
    service: Running, channel: FakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = await rejected_by_an_old_release(service, monkeypatch, 1)
    scripts = redis_client.Scripts(service.redis)
    sent: tuple[Sequence[Any], Sequence[Any]] = [redis_keys.DEAD_LETTERS, redis_keys.EVENTS], [0, KEEP_MS, *keys]
    assert [await scripts.replay_dead_letters(*sent), await scripts.replay_dead_letters(*sent)] == [
        [b"replayed"],
        [b"unknown"],
    ]
    await becomes(lambda: len(channel.delivered) == 1)
    assert await service.redis.xlen(redis_keys.EVENTS) == 2


async def test_a_replayed_event_that_was_delivered_meanwhile_is_not_delivered_again(
    service: Running, channel: FakeChannel, tasks: FakeTaskEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    (key,) = await rejected_by_an_old_release(service, monkeypatch, 1)
    await publish(service.redis, created(1))
    await becomes(lambda: len(channel.delivered) == 1)
    await replay(service, key)
    await becomes(lambda: tasks.confirmed[EVENT_ID] == 3)
    assert len(channel.delivered) == 1


async def test_a_replayed_invalid_event_is_dead_lettered_again_and_replaying_all_ends(
    service: Running,
) -> None:
    old = await invalid(service, 250)
    assert (await replay(service, all=True)).replayed_count == 250
    await eventually(lambda: has_letters(service, 250))
    new = await keys_of(service)
    assert len(new) == 200
    assert not set(new) & set(old)
    assert service.metric("dead_lettered_total", reason="malformed") == 500


async def test_after_a_deadline_a_repeated_replay_does_the_rest(
    service: Running, channel: FakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = await rejected_by_an_old_release(service, monkeypatch, *range(250))

    slow, registry = redis_client.Scripts(service.redis), CollectorRegistry()
    replay_one_batch = slow.replay_dead_letters

    async def after_the_deadline(*arguments: Any) -> Any:
        result = await replay_one_batch(*arguments)
        deadlines.set_remaining(0)
        return result

    setattr(slow, "replay_dead_letters", after_the_deadline)  # noqa: B010 (the attribute's type is AsyncScript)
    dead_letter_admin = DeadLetterAdmin(
        service.redis, slow, ["fake"], metrics=NotifyMetrics(registry), now_ms=wall_clock_ms, wake=lambda: None
    )
    with pytest.raises(DeadlineExceeded):
        await asyncio.create_task(dead_letter_admin.replay(keys))
    assert await has_letters(service, 150)
    assert registry.get_sample_value("dead_letters_replayed_total") == 100
    await replay(service, all=True)
    await becomes(lambda: len(channel.delivered) == 250)
    await eventually(service.all_acknowledged)
    assert await service.redis.xlen(redis_keys.EVENTS) == 500


async def test_an_entry_is_replayed_unchanged(service: Running) -> None:
    await service.redis.xadd(redis_keys.EVENTS, {"id": "not the id of an event", "event": b"\x00\xff\r\n"})
    await eventually(lambda: has_letters(service, 1))
    await replay(service, all=True)
    rows: Any = await service.redis.xrange(redis_keys.EVENTS)
    assert len(rows) == 2
    assert rows[0][1] == rows[1][1]


async def test_an_event_that_was_too_large_to_store_cannot_be_replayed_and_is_kept(
    service: Running, channel: FakeChannel
) -> None:
    await invalid(service, 1, b"")
    await invalid(service, 1, b"\xff" * 100_000)
    keys = await keys_of(service)
    answer = await replay(service, *keys)
    assert (answer.replayed_count, list(answer.not_replayable_keys)) == (0, keys)
    assert (await replay(service, all=True)).not_replayable_keys == keys
    assert await keys_of(service) == keys


# Replaying deliveries


async def test_a_replayed_delivery_is_made_once_and_only_by_its_channel(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    shaky, steady = FakeChannel("shaky", failures=1), FakeChannel("steady")
    async with serving(valkey.url, tasks.target, [shaky, steady], **AT_ONCE) as service:
        (entry,) = await given_up(service, 1)
        assert (await replay(service, f"{entry}/shaky")).replayed_count == 1
        await becomes(lambda: tasks.confirmed[EVENT_ID] == 2)  # complete again
        await eventually(service.all_acknowledged)

        assert (len(shaky.delivered), len(steady.delivered)) == (1, 1)
        assert shaky.delivered == steady.delivered
        ((one, two),) = [notification.deliveries for notification in await service.listed()]
        assert (one.channel, one.outcome, one.attempts) == ("shaky", Outcome.DELIVERED, 1)
        assert (two.channel, two.outcome, two.attempts) == ("steady", Outcome.DELIVERED, 1)
        assert await keys_of(service) == []
        assert (await replay(service, f"{entry}/shaky")).replayed_count == 0

        await publish(service.redis, created(1))  # the event is still recorded
        await becomes(lambda: tasks.confirmed[EVENT_ID] == 3)
        assert (len(shaky.delivered), len(steady.delivered)) == (1, 1)


async def test_a_replay_that_fails_is_dead_lettered_again(service: Running, channel: FakeChannel) -> None:
    channel.fail(2)
    (entry,) = await given_up(service, 1)
    assert (await replay(service, all=True)).replayed_count == 1
    await becomes(lambda: channel.attempts == 2)
    await eventually(lambda: has_letters(service, 1))
    await eventually(lambda: is_complete(service, 1))
    assert await keys_of(service) == [f"{entry}/fake"]
    assert (await replay(service, all=True)).replayed_count == 1
    await becomes(lambda: len(channel.delivered) == 1)


async def test_a_replay_on_one_channel_does_not_wait_for_another_channel(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    shaky, hanging = FakeChannel("shaky", failures=1), FakeChannel("hanging", hangs=True)
    settings = AT_ONCE | {"delivery_timeout_seconds": 50, "delivery_lease_seconds": 51}
    async with serving(valkey.url, tasks.target, [shaky, hanging], **settings) as service:
        await publish(service.redis, created(1))
        await eventually(lambda: gave_up(service, 1, "shaky"))
        assert (await replay(service, all=True)).replayed_count == 1
        await becomes(lambda: len(shaky.delivered) == 1)
        await eventually(lambda: is_pending(service, 1, 1))
        assert not tasks.confirmed


async def test_concurrent_replays_of_a_delivery_have_one_effect(service: Running, channel: FakeChannel) -> None:
    channel.fail(50)
    await given_up(service, *range(50))
    answers = await asyncio.gather(*(replay(service, all=True) for _ in range(5)))
    assert sum(answer.replayed_count for answer in answers) == 50
    await becomes(lambda: len(channel.delivered) == 50)
    await eventually(lambda: is_complete(service, 49))
    assert channel.attempts == 100


async def test_a_notification_that_left_the_inbox_is_still_delivered(
    service: Running, channel: FakeChannel, tasks: FakeTaskEvents
) -> None:
    channel.fail(1)
    await given_up(service, 1)
    later = [created(number, at_ms=OCCURRED_MS + number) for number in range(2, 1002)]
    await publish(service.redis, *later)
    await eventually(service.all_acknowledged, within=30)
    assert await service.redis.hgetall(redis_keys.event_key(EVENT_ID)) == {b"settled": b"1"}

    assert (await replay(service, all=True)).replayed_count == 1
    await becomes(lambda: tasks.confirmed[EVENT_ID] == 2)
    assert [notification.id for notification in channel.delivered].count(EVENT_ID) == 1
    assert channel.delivered[-1].title == "Buy milk"
    assert await service.redis.zcard("inbox:demo") == 1000
    assert await service.redis.hgetall(redis_keys.event_key(EVENT_ID)) == {b"settled": b"1"}


async def test_a_notification_whose_record_has_expired_is_delivered_and_recorded_again(
    valkey: Valkey, tasks: FakeTaskEvents
) -> None:
    one, two = FakeChannel("one", failures=1), FakeChannel("two", failures=1)
    async with serving(valkey.url, tasks.target, [one, two], **AT_ONCE) as service:
        (entry,) = await given_up(service, 1)
        await service.redis.delete(redis_keys.event_key(EVENT_ID), "inbox:demo", "unread:demo")  # as after thirty days
        assert (await replay(service, f"{entry}/one", f"{entry}/two")).replayed_count == 2
        await becomes(lambda: tasks.confirmed[EVENT_ID] == 2)
        assert (len(one.delivered), len(two.delivered)) == (1, 1)
        assert await service.redis.hgetall(redis_keys.event_key(EVENT_ID)) == {b"settled": b"1"}
        assert 0 < await service.redis.pttl(redis_keys.event_key(EVENT_ID)) <= KEEP_MS


async def test_a_replayed_event_is_incomplete_and_does_not_expire_until_it_is_delivered(
    service: Running, channel: FakeChannel, tasks: FakeTaskEvents
) -> None:
    channel.fail(1)
    (entry,) = await given_up(service, 1)
    await service.redis.pexpire(redis_keys.event_key(EVENT_ID), 10_000)  # as at the end of its thirty days
    # call the script directly, because the service would deliver immediately
    keys = [redis_keys.DEAD_LETTERS, redis_keys.EVENTS, redis_keys.CHANNELS, redis_keys.pending_key("fake")]
    assert await redis_client.Scripts(service.redis).replay_dead_letters(keys, [0, KEEP_MS, f"{entry}/fake"]) == [
        b"replayed"
    ]
    assert not await is_complete(service, 1)
    assert await service.redis.pttl(redis_keys.event_key(EVENT_ID)) > 10_000

    await publish(service.redis, created(1))  # joins the replayed delivery
    await becomes(lambda: tasks.confirmed[EVENT_ID] == 2)
    await eventually(service.all_acknowledged)
    assert len(channel.delivered) == 1
    assert await is_complete(service, 1)


async def test_a_dead_letter_without_its_notification_cannot_be_replayed_and_is_kept(
    service: Running, channel: FakeChannel
) -> None:
    channel.fail(1)
    (entry,) = await given_up(service, 1)
    await service.redis.hdel(
        redis_keys.dead_letter_key(f"{entry}/fake"), "notification"
    )  # as an older release stored it
    answer = await replay(service, all=True)
    assert (answer.replayed_count, list(answer.not_replayable_keys)) == (0, [f"{entry}/fake"])
    assert await keys_of(service) == [f"{entry}/fake"]


async def test_a_dead_letter_of_a_removed_channel_is_kept(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    async with serving(valkey.url, tasks.target, [FakeChannel("gone", failures=1)], **AT_ONCE) as before:
        (entry,) = await given_up(before, 1)
    async with serving(valkey.url, tasks.target, [FakeChannel("new")], **AT_ONCE) as service:
        answer = await replay(service, all=True)
        assert (answer.replayed_count, list(answer.not_replayable_keys)) == (0, [f"{entry}/gone"])
        assert not await service.redis.exists("owed:gone")


async def test_a_dead_letter_is_kept_while_its_delivery_is_in_progress(service: Running, channel: FakeChannel) -> None:
    channel.fail(1)
    (entry,) = await given_up(service, 1)
    # as between adding the dead letter and completing the delivery
    await service.redis.hset(redis_keys.event_key(EVENT_ID), "outcome:fake", "pending")
    answer = await replay(service, all=True)
    assert (answer.replayed_count, list(answer.not_replayable_keys)) == (0, [f"{entry}/fake"])


async def test_a_dead_letter_of_a_completed_delivery_is_only_removed(service: Running, channel: FakeChannel) -> None:
    channel.fail(1)
    await given_up(service, 1)
    await service.redis.hset(redis_keys.event_key(EVENT_ID), "outcome:fake", "delivered")
    assert await replay(service, all=True) == dead_letters_pb2.ReplayDeadLettersResponse()
    assert await keys_of(service) == []
    assert not await service.redis.exists("owed:fake")


async def is_complete(service: Running, number: int) -> bool:
    return bool(await service.redis.hexists(redis_keys.event_key(created(number).event_id), "settled"))


async def is_pending(service: Running, number: int, channels: int) -> bool:
    return await service.redis.hget(redis_keys.event_key(created(number).event_id), "owed") == str(channels).encode()


async def gave_up(service: Running, number: int, channel: str) -> bool:
    return await service.redis.hget(redis_keys.event_key(created(number).event_id), f"outcome:{channel}") == b"gave_up"


# Discarding


async def test_discarded_dead_letters_are_removed_and_the_others_are_kept(service: Running) -> None:
    keys = await invalid(service, 4)
    with capture_logs() as lines:
        assert await discard(service, keys[1], keys[2], keys[1], "1-1") == 2
    assert await discard(service, keys[1]) == 0
    assert await keys_of(service) == [keys[0], keys[3]]
    assert not await service.redis.exists(redis_keys.dead_letter_key(keys[1]))
    assert (await replay(service, keys[1])).replayed_count == 0
    assert service.metric("dead_letters_discarded_total") == 2
    (line,) = [line for line in lines if line["event"] == "discarded dead letters"]
    assert (line["log_level"], line["discarded"]) == ("info", 2)


async def test_all_can_be_discarded(service: Running) -> None:
    await invalid(service, 250)
    assert await discard(service, all=True) == 250
    assert await discard(service, all=True) == 0
    assert await service.redis.keys("dead-letter*") == []


# Callers


@pytest.mark.parametrize("method", ["Replay", "Discard"])
@pytest.mark.parametrize("arguments", [{}, {"keys": ["1-1"], "all": True}, {"keys": ["1-1"] * 1001}])
async def test_exactly_one_of_keys_and_all_is_required(
    service: Running, method: str, arguments: dict[str, Any]
) -> None:
    request = getattr(dead_letters_pb2, f"{method}DeadLettersRequest")(**arguments)
    async with refused() as refusal:
        await getattr(service.letters, f"{method}DeadLetters")(request, timeout=5)
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert list(refusal.violations) == ["keys"]


async def test_unknown_keys_are_ignored(service: Running) -> None:
    keys = await invalid(service, 1)
    odd = ["", "*", "\0", "\r\nDEL x", "1-1/", "/", "../..", "é\u202e", "x" * 100_000, f"{keys[0]}/", f" {keys[0]}"]
    assert await replay(service, *odd) == dead_letters_pb2.ReplayDeadLettersResponse()
    assert await discard(service, *odd) == 0
    assert await keys_of(service) == keys


async def test_a_dead_letter_without_fields_is_listed_and_can_be_discarded(service: Running) -> None:
    (key,) = await invalid(service, 1)
    await service.redis.delete(redis_keys.dead_letter_key(key))
    (letter,) = (await listed(service)).dead_letters
    assert (letter.key, letter.reason, letter.attempts) == (key, "", 0)
    assert (await replay(service, key)).not_replayable_keys == [key]
    assert await discard(service, key) == 1


async def test_a_caller_needs_the_token_of_the_mesh_and_no_user(
    valkey: Valkey, tasks: FakeTaskEvents, tmp_path: Path
) -> None:
    secret = tmp_path / "token"
    secret.write_text("the-token-of-the-mesh")
    async with serving(valkey.url, tasks.target, [FakeChannel()], mesh_token_file=secret) as service:
        request = dead_letters_pb2.ListDeadLettersRequest()
        for metadata in ((), (("x-consumer-username", "demo"),), (("x-mesh-token", "another-secret-of-some"),)):
            async with refused() as refusal:
                await service.letters.ListDeadLetters(request, metadata=metadata, timeout=5)
            assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAUTHENTICATED, "NOT_OF_THE_MESH")
        await service.letters.ListDeadLetters(request, metadata=(("x-mesh-token", "the-token-of-the-mesh"),), timeout=5)


async def test_calls_fail_within_three_seconds_while_the_queue_is_unavailable(
    tmp_path: Path, tasks: FakeTaskEvents
) -> None:
    server = Valkey(tmp_path)
    server.start()
    try:
        async with serving(server.url, tasks.target, [FakeChannel()]) as service:
            await invalid(service, 1)
            server.kill()
            calls: list[tuple[str, Any]] = [
                ("ListDeadLetters", dead_letters_pb2.ListDeadLettersRequest()),
                ("ReplayDeadLetters", dead_letters_pb2.ReplayDeadLettersRequest(all=True)),
                ("DiscardDeadLetters", dead_letters_pb2.DiscardDeadLettersRequest(keys=["1-1"])),
            ]
            for name, request in calls:
                async with refused() as refusal:
                    await getattr(service.letters, name)(request, timeout=3.5)
                assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "QUEUE_UNAVAILABLE")
    finally:
        server.kill()
