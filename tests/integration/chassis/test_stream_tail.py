"""Reading a stream of a real queue into a feed."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from chassis.background_jobs import background
from chassis.feed.feed import Feed, FeedLimits
from chassis.feed.metrics import FeedMetrics
from chassis.feed.stream_id import StreamId, stream_id_of, token_of
from chassis.feed.stream_tail import Fields, StreamTail
from chassis.feed.watcher import Item, Watcher
from notify_svc.storage import redis_client
from tests.support.eventually import eventually
from tests.support.valkey import Valkey

STREAM = "things"


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(tmp_path)
    server.start()
    yield server
    server.kill()


def decode(position: StreamId, fields: Fields) -> Item[str] | None:
    value = fields.get(b"value")
    return None if value is None else Item(position, "ann", 0.0, len(value), value.decode())


@asynccontextmanager
async def tailed(url: str, limits: FeedLimits | None = None) -> AsyncIterator[Feed[str]]:
    feed = Feed[str](FeedMetrics(CollectorRegistry()).of(STREAM), limits or FeedLimits())
    async with redis_client.connect(url, timeout_seconds=2, retries=0) as client:
        tail = StreamTail(client, STREAM, feed, decode)
        async with background({"tail": tail.run}, CollectorRegistry()):
            await eventually(lambda: begun(feed))
            yield feed


async def begun(feed: Feed[str]) -> bool:
    return feed.position is not None


async def add(url: str, *values: str, name: str = "value") -> StreamId:
    async with Redis.from_url(url, decode_responses=True) as redis:
        for value in values:
            entry_id: Any = await redis.xadd(STREAM, {name: value})
    position = stream_id_of(entry_id)
    assert position is not None
    return position


async def comes(watcher: Watcher[str], count: int) -> list[str]:
    """Wait for so many values."""
    values: list[str] = []
    async with asyncio.timeout(10):
        while len(values) < count:
            batch = watcher.take()
            assert not batch.is_reset
            values += [item.value for item in batch.items]
            if not batch.items:
                watcher.woken.clear()
                await watcher.woken.wait()
    return values


async def test_entries_arrive_in_order_and_unreadable_ones_are_skipped(valkey: Valkey) -> None:
    async with tailed(valkey.url) as feed, feed.watch("ann", None) as watcher:
        await add(valkey.url, "a", "b")
        await add(valkey.url, "no item", name="other")
        last = await add(valkey.url, "c")
        assert await comes(watcher, 3) == ["a", "b", "c"]
        assert feed.position == last


async def test_a_new_reader_has_earlier_entries_and_resumes_watchers_of_another_reader(valkey: Valkey) -> None:
    async with tailed(valkey.url) as first, first.watch("ann", None) as watcher:
        await add(valkey.url, "a", "b")
        assert await comes(watcher, 2) == ["a", "b"]
        left_at = watcher.position
    await add(valkey.url, *"cdef")
    async with tailed(valkey.url) as second, second.watch("ann", left_at) as again:
        assert await comes(again, 4) == ["c", "d", "e", "f"]


async def test_a_new_reader_reads_only_the_newest_entries(valkey: Valkey) -> None:
    await add(valkey.url, *(str(number) for number in range(1_100)))
    async with tailed(valkey.url, FeedLimits(items=600)) as feed:
        async with feed.watch(None, None) as watcher:
            assert await comes(watcher, 600) == [str(number) for number in range(500, 1_100)]
        async with feed.watch("ann", (1, 0)) as too_late:
            assert too_late.take().is_reset


async def test_a_killed_queue_that_recovers_its_data_causes_no_reset(
    own_valkey: Valkey,
) -> None:
    async with tailed(own_valkey.url) as feed, feed.watch("ann", None) as watcher:
        await add(own_valkey.url, "a")
        assert await comes(watcher, 1) == ["a"]
        await own_valkey.restart()
        await add(own_valkey.url, "b")
        assert await comes(watcher, 1) == ["b"]


async def test_a_queue_that_lost_its_data_causes_a_reset_for_current_and_resuming_watchers(own_valkey: Valkey) -> None:
    async with tailed(own_valkey.url) as feed, feed.watch("ann", None) as watcher:
        await add(own_valkey.url, "a")
        assert await comes(watcher, 1) == ["a"]
        left_at = watcher.position
        own_valkey.clear()
        await own_valkey.restart()

        async def is_reset() -> bool:
            return watcher.take().is_reset

        await eventually(is_reset, within=20)
        await add(own_valkey.url, "b")
        assert await comes(watcher, 1) == ["b"]
        async with feed.watch("ann", left_at) as again:
            assert again.take().is_reset


async def test_an_empty_stream_still_covers_its_last_position(valkey: Valkey) -> None:
    last = await add(valkey.url, "a", "b")
    async with Redis.from_url(valkey.url) as redis:
        await redis.xtrim(STREAM, maxlen=0, approximate=False)
    async with tailed(valkey.url) as feed:
        assert feed.position == last
        await add(valkey.url, "c")
        async with feed.watch("ann", last) as watcher:
            assert await comes(watcher, 1) == ["c"]


async def test_a_consumer_group_on_an_empty_stream_is_not_a_position_to_resume(valkey: Valkey) -> None:
    async with Redis.from_url(valkey.url) as redis:
        await redis.xgroup_create(STREAM, "readers", id="0", mkstream=True)
    async with tailed(valkey.url) as feed:
        await add(valkey.url, "a")
        async with feed.watch("ann", stream_id_of(token_of((1_795_000_000_000, 0)))) as watcher:
            assert watcher.take().is_reset
