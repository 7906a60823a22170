"""A feed: the recent events of a stream, read once per process and handed to any number of watchers.

`stream_tail` fills it from Redis; the edge fills it from a service's stream. A watcher that resumes from the position
of its last event gets the events that it missed, if the window still holds them.
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
    """How much a feed keeps, how many may watch, in all and as one user, and how much may wait for each of them."""

    items: int = 10_000
    bytes: int = 16 * 1024 * 1024
    watchers: int = 10_000
    watchers_of_one: int = 50
    waiting: int = 256


class Feed(Generic[T]):
    """Events in order, the oldest dropped when there are too many. Not usable before `begin`."""

    def __init__(self, metrics: OneFeedMetrics, limits: FeedLimits = FeedLimits()) -> None:
        self.limits = limits
        self._metrics = metrics
        self._window = deque[Item[T]]()
        self._bytes = 0
        self._by_owner = defaultdict[str, deque[Item[T]]](deque)
        self._watchers = defaultdict[str | None, set[Watcher[T]]](set)
        self._watching = 0
        self._floor: StreamId | None = None
        self._position: StreamId = (0, 0)
        self._moved = asyncio.Event()
        self._is_over = False

    @property
    def position(self) -> StreamId | None:
        """The place of the newest event; None before `begin`."""
        return None if self._floor is None else self._position

    def begin(self, position: StreamId) -> None:
        """Starts anew, with what comes behind `position`; whoever watches already is told of a reset."""
        self._window.clear()
        self._by_owner.clear()
        self._bytes = 0
        self._floor = position
        self.advance(position)
        for watcher in self._all_watchers():
            self._metrics.resets.inc()
            watcher.reset()

    def append(self, item: Item[T]) -> None:
        """Takes in the next event and offers it to those who watch its owner's, or everybody's."""
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
        """Notes that there is nothing more up to `position`."""
        self._position = position
        self._moved.set()

    def end(self) -> None:
        """Ends all watching, now and from now on."""
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
        """Watches the owner's events from behind `after` or from now on; or everybody's, then from the oldest on.

        Raises Unavailable where the feed has not begun, Exhausted where too many watch.
        """
        await self._reach(after)
        if self._floor is None:
            raise Unavailable("FEED_UNAVAILABLE", "What happens cannot be watched yet; try again.")
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
            standing=lambda: self._position,
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
        """What a watcher is to be told, for four to five minutes; close it (`aclosing`) when nobody listens any more.

        The first batch comes at once, has no items and tells where it begins. Raises as `watch`, and Exhausted when the
        watcher was cut.
        """
        async with self.watch(owner, after, waiting=waiting) as watcher:
            until = asyncio.get_running_loop().time() + lifetime_seconds()
            while (batch := await watcher.next(until)) is not None:
                yield batch
                self.delivered(batch)

    def delivered(self, batch: Batch[T]) -> None:
        """Is told what has gone out to a watcher."""
        self._metrics.delivered(batch.items)

    async def _reach(self, after: StreamId | None) -> None:
        """Waits a moment for a start, and for what another replica has seen already."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while self._floor is None or (after is not None and after > self._position):
                    self._moved.clear()
                    await self._moved.wait()

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
        of_one = owner is not None and len(self._watchers.get(owner, ())) >= self.limits.watchers_of_one
        if of_one or self._watching >= self.limits.watchers:
            self._metrics.refused.inc()
            whose = "of this user " if of_one else ""
            raise Exhausted("TOO_MANY_WATCHERS", f"Too many watchers {whose}at once; try again later.")

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
