"""The Redis model returns the same replies as a real Valkey for random sequences of commands."""

import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from notify_svc.domain import DeadLetter, Kind, Notification, Outcome, Reason
from notify_svc.metrics import NotifyMetrics
from notify_svc.storage.dead_letters import DeadLetters
from notify_svc.storage.event_store import Attempt, EventStore, PendingDelivery
from notify_svc.storage.redis_client import Scripts
from notify_svc.storage.redis_keys import GROUP
from tests.simulation.redis_client import Command, SimulatedRedis, reply
from tests.simulation.redis_model import RedisModel
from tests.support.notify_svc.task_events import OCCURRED_MS, task_id
from tests.support.valkey import Valkey

STREAM = "a-stream"
STEPS = 120


class Both:
    """Sends the same commands to Valkey and to the model, and compares the replies."""

    def __init__(self, real: Redis) -> None:
        self.real = real
        self._model = RedisModel(lambda: OCCURRED_MS)
        self.modelled: Any = SimulatedRedis(self._send)

    async def _send(self, commands: list[Command]) -> list[Any]:
        return [reply(self._model, command) for command in commands]

    async def agree(self, call: str | Callable[..., Any], *given: Any, **named: Any) -> None:
        """Compare the results of a call: the name of a client's method, or a function that takes a client."""
        expected, found = [
            await _outcome(getattr(client, call)(*given, **named) if isinstance(call, str) else call(client, *given))
            for client in (self.real, self.modelled)
        ]
        assert found == expected


async def _outcome(call: Any) -> Any:
    try:
        return await call
    except ResponseError as error:
        return next((code for code in ("NOGROUP", "BUSYGROUP") if code in str(error)), str(error))


@pytest.fixture
async def both(valkey: Valkey) -> AsyncIterator[Both]:
    async with Redis.from_url(valkey.url, socket_timeout=5) as real:
        yield Both(real)


@pytest.mark.parametrize("seed", range(5))
async def test_streams_and_groups_behave_the_same(both: Both, seed: int) -> None:
    rng = random.Random(seed)
    added = 0

    async def pipelined(client: Any, entry_id: str) -> Any:
        async with client.pipeline(transaction=False) as pipeline:
            pipeline.xpending_range(STREAM, GROUP, entry_id, entry_id, 1)
            pipeline.xrange(STREAM, min=entry_id, max=entry_id, count=1)
            pending, entries = await pipeline.execute()
        return [(each["consumer"], each["times_delivered"]) for each in pending], entries

    async def summary(client: Any) -> Any:
        found = await client.xpending(STREAM, GROUP)
        return found["pending"], found["min"], found["max"]

    async def state(client: Any) -> Any:
        groups = await client.xinfo_groups(STREAM)
        return [(each["name"], each["pending"], each["last-delivered-id"]) for each in groups]

    for _ in range(STEPS):
        entry_id = f"{rng.randint(1, added + 1)}-0"
        consumer = rng.choice("abc")
        count = rng.randint(1, 4)
        match rng.randrange(10):
            case 0 | 1 | 2:
                added += 1
                fields: Any = {"id": f"event-{added}", "event": b"\xff"}
                number = f"{added}-0"
                await both.agree("xadd", STREAM, fields, id=number)
            case 3:
                await both.agree("xgroup_create", STREAM, GROUP, id="0", mkstream=True)
            case 4 | 5:
                await both.agree("xreadgroup", GROUP, consumer, {STREAM: ">"}, count=count, block=1)
            case 6:
                await both.agree("xreadgroup", GROUP, consumer, {STREAM: "0"}, count=count)
            case 7:
                await both.agree("xautoclaim", STREAM, GROUP, consumer, 0, "0-0", count=count)
            case 8:
                await both.agree("xack", STREAM, GROUP, entry_id)
            case _:
                minimum = f"{rng.randint(0, 1 + added // 3)}-0"
                await both.agree("xtrim", STREAM, minid=minimum, approximate=False)
        await both.agree(state)
        await both.agree(summary)
        await both.agree(pipelined, entry_id)


@pytest.mark.parametrize("seed", range(5))
async def test_the_scripts_of_the_notifier_behave_the_same(both: Both, seed: int) -> None:
    rng = random.Random(seed)
    channels = ["console", "other"]

    def now() -> int:
        return OCCURRED_MS

    real, modelled = [
        (EventStore(client, Scripts(client), channels, now), DeadLetters(Scripts(client), metrics(), now))
        for client in (both.real, both.modelled)
    ]
    taken: list[tuple[str, PendingDelivery]] = []
    for step in range(STEPS):
        number, channel = rng.randint(1, 12), rng.choice(channels)
        notification = Notification(
            f"{task_id(number)}:1:created", Kind.TASK_CREATED, "ann", task_id(number), "Buy milk", OCCURRED_MS
        )
        match rng.randrange(4):
            case 0:
                arrived = [(f"{step}-0", notification), (f"{rng.randint(0, step)}-0", notification)]
                assert await modelled[0].record(arrived) == await real[0].record(arrived)
            case 1:
                limit = rng.randint(1, 3)
                lease = rng.choice((0, 1000))
                found = await modelled[0].lease(channel, limit, lease)
                assert found == await real[0].lease(channel, limit, lease)
                taken += [(channel, delivery) for delivery in found]
            case 2 if taken:
                channel, delivery = rng.choice(taken)
                attempt = Attempt(delivery, rng.choice(list(Outcome)), OCCURRED_MS)
                assert await modelled[0].complete(channel, [attempt]) == await real[0].complete(channel, [attempt])
            case _:
                letter = DeadLetter(f"{number}-0", notification.id, Reason.MALFORMED, "spoiled", 1)
                await modelled[1].add(letter)
                await real[1].add(letter)
        for key in (f"event:{notification.id}", f"dead-letter:{number}-0"):
            await both.agree("hgetall", key)
        for key in ("inbox:ann", "unread:ann", "owed:console", "owed:other", "dead-letters", "channels"):
            await both.agree("zrange", key, 0, -1)


def metrics() -> NotifyMetrics:
    return NotifyMetrics(CollectorRegistry())
