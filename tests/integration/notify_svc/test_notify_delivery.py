"""Each channel retries with increasing pauses, gives up after the last attempt, and does not delay other channels."""

import json
from collections.abc import AsyncIterator

import pytest

from notify_svc.domain import Outcome
from tests.support.eventually import eventually
from tests.support.notify_svc.fake_task_events import FakeTaskEvents, fake_task_events
from tests.support.notify_svc.notifier import FakeChannel, becomes, running
from tests.support.notify_svc.task_events import created, publish
from tests.support.valkey import Valkey


@pytest.fixture
async def tasks() -> AsyncIterator[FakeTaskEvents]:
    async with fake_task_events() as fake:
        yield fake


async def test_a_channel_that_fails_twice_delivers_at_the_third_attempt(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    channel = FakeChannel("shaky", failures=2)
    async with running(valkey.url, tasks.target, [channel]) as service:
        await publish(service.redis, created(1))
        await eventually(service.all_acknowledged)
        ((delivery,),) = [notification.deliveries for notification in await service.listed()]
        assert (delivery.channel, delivery.outcome, delivery.attempts) == ("shaky", Outcome.DELIVERED, 3)
        assert service.metric("notifications_total", channel="shaky", outcome="retried") == 2
        assert service.metric("notifications_total", channel="shaky", outcome="delivered") == 1


@pytest.mark.parametrize("broken", [{"failures": 1000}, {"hangs": True}], ids=["fails", "hangs"])
async def test_a_failing_channel_is_given_up_and_does_not_delay_the_other(
    valkey: Valkey, tasks: FakeTaskEvents, broken: dict[str, int]
) -> None:
    dead, alive = FakeChannel("dead", **broken), FakeChannel("alive")  # type: ignore[arg-type]
    async with running(valkey.url, tasks.target, [dead, alive]) as service:
        (entry_id,) = await publish(service.redis, created(1))
        await becomes(lambda: len(alive.delivered) == 1)
        assert not tasks.confirmed
        await eventually(service.all_acknowledged)

        (shown,) = await service.listed()
        assert {d.channel: d.outcome for d in shown.deliveries} == {
            "dead": Outcome.GAVE_UP,
            "alive": Outcome.DELIVERED,
        }
        assert dead.attempts == 3
        assert tasks.confirmed[created(1).event_id] == 1
        letter = (await service.dead_letters())[f"{entry_id.decode()}/dead"]
        assert (letter[b"reason"], letter[b"channel"], letter[b"attempts"]) == (b"gave_up", b"dead", b"3")
        assert json.loads(letter[b"notification"])["id"] == created(1).event_id
        assert not letter[b"event"]


async def test_a_channel_with_a_defect_is_retried_like_one_that_fails(valkey: Valkey, tasks: FakeTaskEvents) -> None:
    class Defect(FakeChannel):
        async def deliver(self, notification: object) -> None:
            self.attempts += 1
            raise ZeroDivisionError

    channel = Defect("defect")
    async with running(valkey.url, tasks.target, [channel]) as service:
        await publish(service.redis, created(1))
        await eventually(service.all_acknowledged)
        assert channel.attempts == 3


async def test_a_delivery_of_a_dead_process_is_made_by_the_next_when_the_lease_ends(
    valkey: Valkey, tasks: FakeTaskEvents
) -> None:
    hanging = FakeChannel(hangs=True)
    settings = {"delivery_timeout_seconds": 0.9, "delivery_lease_seconds": 1.0}
    async with running(valkey.url, tasks.target, [hanging], **settings) as first:
        await publish(first.redis, created(1))
        await becomes(lambda: hanging.attempts == 1)
    channel = FakeChannel()
    async with running(valkey.url, tasks.target, [channel], **settings) as second:
        await eventually(second.all_acknowledged)
        ((delivery,),) = [notification.deliveries for notification in await second.listed()]
        assert (delivery.outcome, delivery.attempts, len(channel.delivered)) == (Outcome.DELIVERED, 2, 1)


async def test_a_delivery_that_kills_its_process_each_time_is_given_up_too(
    valkey: Valkey, tasks: FakeTaskEvents
) -> None:
    settings = {"delivery_timeout_seconds": 0.2, "delivery_lease_seconds": 0.3, "max_attempts": 1}
    hanging = FakeChannel(hangs=True)
    async with running(valkey.url, tasks.target, [hanging], **settings) as first:
        await publish(first.redis, created(1))
        await becomes(lambda: hanging.attempts == 1)
    never = FakeChannel()
    async with running(valkey.url, tasks.target, [never], **settings) as second:
        await eventually(second.all_acknowledged)
        assert never.attempts == 0
        assert [letter[b"reason"] for letter in (await second.dead_letters()).values()] == [b"gave_up"]
