"""The behaviour of a feed for its watchers."""

import asyncio
from contextlib import aclosing

import pytest
from prometheus_client import CollectorRegistry

from chassis.errors import Exhausted, InvalidInput, Unavailable
from chassis.feed.feed import Feed, FeedLimits
from chassis.feed.metrics import FeedMetrics
from chassis.feed.stream_id import resume_point, stream_id_of, token_of
from chassis.feed.watcher import Batch, Watcher
from tests.support.chassis.feeds import START, feed, fill, item


def values(batch: Batch[str]) -> list[str]:
    return [taken.value for taken in batch.items]


def taken(watcher: Watcher[str]) -> list[str]:
    return values(watcher.take())


async def test_a_watcher_gets_only_new_events_of_its_owner() -> None:
    things = feed()
    fill(things, range(1, 3))
    async with things.watch("ann", None) as ann, things.watch("bob", None) as bob, things.watch(None, None) as all_:
        fill(things, range(3, 5))
        things.append(item(5, "bob"))
        assert taken(ann) == ["3", "4"]
        assert taken(bob) == ["5"]
        assert taken(all_) == ["1", "2", "3", "4", "5"]
        assert taken(ann) == []


async def test_a_watcher_that_resumes_gets_each_event_once_and_in_order() -> None:
    things = feed()
    fill(things, range(1, 4))
    async with things.watch("ann", None) as first:
        fill(things, range(4, 6))
        assert taken(first) == ["4", "5"]
        left_at = first.position
    fill(things, range(6, 9))
    fill(things, range(9, 10), owner="bob")
    async with things.watch("ann", left_at) as second:
        assert second.position == left_at
        assert taken(second) == ["6", "7", "8"]
        fill(things, range(10, 11))
        assert taken(second) == ["10"]


async def test_the_position_advances_with_events_of_other_owners() -> None:
    things = feed(FeedLimits(items=10))
    async with things.watch("ann", None) as ann:
        fill(things, range(1, 100), owner="bob")
        assert taken(ann) == []
    async with things.watch("ann", ann.position) as again:
        assert not again.take().is_reset


@pytest.mark.parametrize(
    "limits", [FeedLimits(items=10), FeedLimits(bytes=1_000)], ids=["too many items", "too many bytes"]
)
async def test_a_position_that_is_no_longer_covered_gets_a_reset_and_then_new_events(limits: FeedLimits) -> None:
    things = feed(limits)
    fill(things, range(1, 21))
    for after, is_reset in (((1_010, 0), False), ((1_009, 5), True), (START, True)):
        async with things.watch("ann", after) as watcher:
            batch = watcher.take()
            assert batch.is_reset is is_reset, after
            if is_reset:
                assert (values(batch), batch.position) == ([], (1_020, 0))
                assert taken(watcher) == []
            else:
                assert values(batch) == [str(number) for number in range(11, 21)]


async def test_a_watcher_waits_for_a_position_of_a_replica_that_is_ahead() -> None:
    things = feed()

    async def watch() -> list[str]:
        async with things.watch("ann", (1_002, 0)) as watcher:
            fill(things, range(3, 4))
            return taken(watcher)

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    fill(things, range(1, 3))
    assert await watching == ["3"]


async def test_a_position_that_is_never_reached_gets_a_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.feed.feed._PATIENCE_SECONDS", 0.05)
    things = feed()
    async with things.watch("ann", (9_999, 0)) as watcher:
        assert watcher.take().is_reset


async def test_a_feed_that_has_not_begun_cannot_be_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.feed.feed._PATIENCE_SECONDS", 0.05)
    things = Feed[str](FeedMetrics(CollectorRegistry()).of("things"))
    with pytest.raises(Unavailable) as refused:
        async with things.watch("ann", None):
            pass
    assert refused.value.reason == "FEED_UNAVAILABLE"


async def test_a_watcher_gets_a_reset_when_the_feed_begins_again_and_then_new_events() -> None:
    things = feed()
    async with things.watch("ann", None) as ann:
        fill(things, range(1, 3))
        things.begin((5_000, 0))
        things.append(item(4_001))
        batch = ann.take()
        assert (batch.is_reset, values(batch), batch.position) == (True, [], (5_000, 0))
        assert taken(ann) == ["4001"]


async def test_a_slow_watcher_is_cut_with_a_resume_token_and_its_items_are_freed() -> None:
    registry = CollectorRegistry()
    things = feed(FeedLimits(waiting=5), registry)
    fill(things, range(1, 3))
    async with things.watch("ann", None) as slow, things.watch("ann", None) as quick:
        fill(things, range(3, 4))
        assert taken(slow) == taken(quick) == ["3"]
        fill(things, range(4, 9))
        assert taken(quick) == ["4", "5", "6", "7", "8"]
        fill(things, range(9, 20))
        assert slow._items == []
        with pytest.raises(Exhausted) as cut:
            slow.take()
    assert cut.value.reason == "WATCHER_TOO_SLOW"
    assert registry.get_sample_value("watchers_cut_total", {"feed": "things"}) == 2  # quick took no item after 8
    async with things.watch("ann", stream_id_of(cut.value.metadata["resume_token"])) as again:
        assert taken(again) == [str(number) for number in range(4, 20)]


async def test_missed_events_do_not_count_towards_the_limit_of_waiting_events() -> None:
    things = feed(FeedLimits(waiting=5))
    fill(things, range(1, 51))
    async with things.watch("ann", START) as watcher:
        fill(things, range(51, 56))
        assert taken(watcher) == [str(number) for number in range(1, 56)]


async def test_watchers_are_limited_in_total_and_per_user() -> None:
    registry = CollectorRegistry()
    things = feed(FeedLimits(watchers=3, watchers_of_one=2), registry)

    def watching() -> float | None:
        return registry.get_sample_value("watchers", {"feed": "things"})

    async with things.watch("ann", None), things.watch("ann", None):
        with pytest.raises(Exhausted, match="of this user"):
            await things.watch("ann", None).__aenter__()
        async with things.watch("bob", None):
            assert watching() == 3
            with pytest.raises(Exhausted) as refused:
                await things.watch("cem", None).__aenter__()
            assert refused.value.reason == "TOO_MANY_WATCHERS"
    assert watching() == 0
    async with things.watch("ann", None):
        assert watching() == 1


async def test_the_first_batch_has_the_position_and_an_idle_feed_sends_heartbeats(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chassis.feed.watcher.HEARTBEAT_SECONDS", 0.02)
    things = feed()
    fill(things, range(1, 3))
    async with aclosing(things.batches("ann", START)) as batches:
        first = await anext(batches)
        assert (first.position, values(first), first.is_reset) == (START, [], False)
        assert values(await anext(batches)) == ["1", "2"]
        fill(things, range(3, 4), owner="bob")
        heartbeat = await anext(batches)
        assert (values(heartbeat), heartbeat.position) == ([], (1_003, 0))


async def test_a_watch_ends_after_its_lifetime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.feed.watcher.LIFETIME_SECONDS", (0.05, 0.1))
    async with aclosing(feed().batches("ann", None)) as batches:
        assert [values(batch) async for batch in batches] == [[]]


async def test_the_end_of_a_feed_ends_current_and_later_watchers() -> None:
    things = feed()
    async with aclosing(things.batches("ann", None)) as batches:
        await anext(batches)
        things.end()
        assert [batch async for batch in batches] == []
    async with things.watch("ann", None) as late:
        assert late.is_over


async def test_deliveries_are_counted_and_timed_for_each_watcher() -> None:
    registry = CollectorRegistry()
    things = feed(registry=registry)
    async with aclosing(things.batches("ann", None)) as batches:
        await anext(batches)
        fill(things, range(1, 4))
        assert values(await anext(batches)) == ["1", "2", "3"]
        fill(things, range(4, 5))
        await anext(batches)
    assert registry.get_sample_value("watch_events_sent_total", {"feed": "things"}) == 3
    assert registry.get_sample_value("watch_delivery_seconds_count", {"feed": "things"}) == 3


def test_a_batch_in_pieces_has_every_item_once_and_each_piece_its_own_position() -> None:
    items = [item(number, size=size) for number, size in enumerate((400, 400, 400, 2_000, 100), start=1)]
    pieces = list(Batch((1_009, 0), items).pieces(1_000))
    assert [values(piece) for piece in pieces] == [["1", "2"], ["3"], ["4"], ["5"]]
    assert [piece.position for piece in pieces] == [(1_002, 0), (1_003, 0), (1_004, 0), (1_009, 0)]
    reset: Batch[str] = Batch(START, is_reset=True)
    assert list(reset.pieces(1_000)) == [reset]


@pytest.mark.parametrize("text", ["", "1", "1-", "-1", "1-2-3", " 1-2", "1-2\n", "٣-٣", "1" * 16 + "-0", "x" * 10_000])
def test_an_invalid_token_has_no_position(text: str) -> None:
    assert stream_id_of(text) is None
    if text:
        with pytest.raises(InvalidInput) as refused:
            resume_point(text)
        assert refused.value.reason == "INVALID_RESUME_TOKEN"


def test_a_token_is_the_id_of_its_entry() -> None:
    assert stream_id_of("1795000000000-12") == (1_795_000_000_000, 12)
    assert token_of((1_795_000_000_000, 12)) == "1795000000000-12"
