"""A feed: a window of the recent events of a stream, read once per process and delivered to any number of watchers.

`stream_tail` fills a feed from Redis; `edge_api.sse.live` fills one from a service's gRPC stream. A watcher that
resumes after its last event gets the events that it missed, if the window still holds them.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from chassis.errors import Exhausted, Unavailable
from chassis.feed.metrics import OneFeedMetrics
from chassis.feed.stream_id import StreamId
from chassis.feed.watcher import Batch, Item, Watcher, lifetime_seconds

_PATIENCE_SECONDS = 2.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """The limits: `items` and `bytes` in the window, watchers in total and of one user, items waiting for a watcher."""

    items: int = 10_000
    bytes: int = 16 * 1024 * 1024
    watchers: int = 10_000
    watchers_of_one: int = 50
    waiting: int = 256


class Feed(Generic[T]):
    """A window of events in order. Beyond the limits, the oldest are dropped. `begin` opens it for watchers."""

    def __init__(self, metrics: OneFeedMetrics, limits: FeedLimits = FeedLimits()) -> None:
        self.limits = limits
        self._metrics = metrics
        self._window = deque[Item[T]]()
        self._bytes = 0
        self._by_owner = defaultdict[str, deque[Item[T]]](deque)
        self._watchers = defaultdict[str | None, set[Watcher[T]]](set)
        self._watching = 0  # the number of watchers
        self._floor: StreamId | None = None  # the window has all events after this position; None before `begin`
        self._position: StreamId = (0, 0)
        self._advanced = asyncio.Event()
        self._is_over = False

    @property
    def position(self) -> StreamId | None:
        """The position of the newest event; None before `begin`."""
        return None if self._floor is None else self._position

    def begin(self, position: StreamId) -> None:
        """Clear the window and start after `position`. Current watchers get a reset: they may have missed events."""
        self._window.clear()
        self._by_owner.clear()
        self._bytes = 0
        self._floor = position
        self.advance(position)
        for watcher in self._all_watchers():
            self._metrics.resets.inc()
            watcher.reset()

    def append(self, item: Item[T]) -> None:
        """Add the next event. Offer it to the watchers of its owner and to those that watch all owners."""
        self._window.append(item)
        self._by_owner[item.owner].append(item)
        self._bytes += item.size
        while len(self._window) > self.limits.items or self._bytes > self.limits.bytes:
            self._drop_oldest()
        self.advance(item.position)
        for owner in (item.owner, None):
            for watcher in self._watchers.get(owner, ()):
                if not watcher.offer(item):
                    self._metrics.cut.inc()

    def advance(self, position: StreamId) -> None:
        """Record that the feed has every event up to `position`."""
        self._position = position
        self._advanced.set()

    def end(self) -> None:
        """End all watchers, and end each future watcher at once."""
        self._is_over = True
        for watcher in self._all_watchers():
            watcher.end()

    @asynccontextmanager
    async def watch(
        self,
        owner: str | None,
        after: StreamId | None,
        *,
        waiting: int | None = None,
        woken: asyncio.Event | None = None,
    ) -> AsyncIterator[Watcher[T]]:
        """Watch the events of `owner`, or of all owners if it is None.

        The watcher starts after the position `after`. If that is None, a watcher of one owner starts with the next
        event, and a watcher of all owners with the oldest event in the window. `waiting` overrides the limit on
        waiting items. `woken` replaces the asyncio.Event that the watcher sets when it has something to take.

        Raises Unavailable before `begin`, and Exhausted if there are too many watchers.
        """
        await self._wait_for_position(after)
        if self._floor is None:
            raise Unavailable("FEED_UNAVAILABLE", "The event feed is not ready yet; try again later.")
        self._check_room(owner)
        start = after or (self._floor if owner is None else self._position)
        is_covered = self._floor <= start <= self._position
        if after is not None:
            (self._metrics.resumes if is_covered else self._metrics.resets).inc()
        watcher = Watcher(
            owner,
            start if is_covered else self._position,
            self._after(owner, start) if is_covered else (),
            is_reset=not is_covered,
            limit=self.limits.waiting if waiting is None else waiting,
            feed_position=lambda: self._position,
            woken=woken,
        )
        if self._is_over:
            watcher.end()
        self._add(watcher)
        try:
            yield watcher
        finally:
            self._remove(watcher)

    async def batches(
        self, owner: str | None, after: StreamId | None, *, waiting: int | None = None
    ) -> AsyncGenerator[Batch[T], None]:
        """Yield batches for four to five minutes. Close the generator (`aclosing`) when the client disconnects.

        The first batch is yielded at once. It has no items, and its position is where the watcher starts. Parameters
        and errors are those of `watch`; also raises Exhausted if too many items wait for the watcher.
        """
        async with self.watch(owner, after, waiting=waiting) as watcher:
            until = asyncio.get_running_loop().time() + lifetime_seconds()
            while (batch := await watcher.next(until)) is not None:
                yield batch
                self.delivered(batch)

    def delivered(self, batch: Batch[T]) -> None:
        """Count a batch that was sent to a watcher."""
        self._metrics.delivered(batch.items)

    async def _wait_for_position(self, after: StreamId | None) -> None:
        """Wait up to two seconds for `begin`, and until the feed reaches `after`, which can be from another replica."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while self._floor is None or (after is not None and after > self._position):
                    self._advanced.clear()
                    await self._advanced.wait()

    def _after(self, owner: str | None, after: StreamId) -> Sequence[Item[T]]:
        items: Iterable[Item[T]] = self._window if owner is None else self._by_owner.get(owner, ())
        return [item for item in items if item.position > after]

    def _drop_oldest(self) -> None:
        item = self._window.popleft()
        self._bytes -= item.size
        self._floor = item.position
        own = self._by_owner[item.owner]
        own.popleft()
        if not own:
            del self._by_owner[item.owner]

    def _check_room(self, owner: str | None) -> None:
        user_has_too_many = owner is not None and len(self._watchers.get(owner, ())) >= self.limits.watchers_of_one
        if user_has_too_many or self._watching >= self.limits.watchers:
            self._metrics.refused.inc()
            whose = " of this user" if user_has_too_many else ""
            raise Exhausted("TOO_MANY_WATCHERS", f"Too many concurrent watchers{whose}; try again later.")

    def _add(self, watcher: Watcher[T]) -> None:
        self._watchers[watcher.owner].add(watcher)
        self._watching += 1
        self._metrics.watchers.inc()

    def _remove(self, watcher: Watcher[T]) -> None:
        own = self._watchers[watcher.owner]
        own.discard(watcher)
        if not own:
            del self._watchers[watcher.owner]
        self._watching -= 1
        self._metrics.watchers.dec()

    def _all_watchers(self) -> list[Watcher[T]]:
        return [watcher for watchers in self._watchers.values() for watcher in watchers]
