"""A watcher of a feed (`chassis.feed.feed`): the items that wait for it, and its position."""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from chassis.errors import Exhausted
from chassis.feed.stream_id import StreamId, token_of

HEARTBEAT_SECONDS = 15.0
LIFETIME_SECONDS = (240.0, 300.0)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """An event of a feed; `occurred` is in seconds since 1970, `size` is an estimate in bytes."""

    position: StreamId
    owner: str
    occurred: float
    size: int
    value: T


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """The items that a watcher takes at once, and its position after them.

    A reset has no items; it means that the watcher may have missed some. Any other batch without items is a heartbeat.
    """

    position: StreamId
    items: Sequence[Item[T]] = ()
    is_reset: bool = False

    def pieces(self, size: int) -> Iterator["Batch[T]"]:
        """Yield the batch in pieces of at most `size` bytes, or of one item if that is larger."""
        first, taken = 0, 0
        for i, item in enumerate(self.items):
            if i > first and taken + item.size > size:
                yield Batch(self.items[i - 1].position, self.items[first:i])
                first, taken = i, 0
            taken += item.size
        yield Batch(self.position, self.items[first:], self.is_reset)


def lifetime_seconds() -> float:
    """Return a random lifetime for a watcher: revoked access ends within five minutes, but not for all at once."""
    return random.uniform(*LIFETIME_SECONDS)  # noqa: S311 (not for security)


class Watcher(Generic[T]):
    """Receives items of a feed; it is cut when an item arrives while `limit` others wait, not counting `missed`.

    `feed_position` returns the feed's position; `woken` is set when there is something to take, or when the watcher
    ends.
    """

    __slots__ = (
        "_feed_position",
        "_first",
        "_is_cut",
        "_is_reset",
        "_items",
        "_limit",
        "is_over",
        "owner",
        "position",
        "woken",
    )

    def __init__(
        self,
        owner: str | None,
        position: StreamId,
        missed: Sequence[Item[T]],
        *,
        is_reset: bool,
        limit: int,
        feed_position: Callable[[], StreamId],
        woken: asyncio.Event | None,
    ) -> None:
        self.owner = owner
        self.position = position
        self.woken = woken or asyncio.Event()
        self.is_over = False
        self._items = list(missed)
        self._limit = limit + len(self._items)
        self._feed_position = feed_position
        self._is_reset = is_reset
        self._is_cut = False
        self._first = True

    def offer(self, item: Item[T]) -> bool:
        """Add an item for `take`; return False if there is no room for it, and the watcher is therefore cut."""
        self.woken.set()
        if self._is_cut:
            return True
        if len(self._items) < self._limit:
            self._items.append(item)
            return True
        self._is_cut = True
        self._items.clear()
        return False

    def reset(self) -> None:
        """Drop the waiting items and make the next batch a reset."""
        self._items.clear()
        self._is_reset = True
        self.position = self._feed_position()
        self.woken.set()

    def end(self) -> None:
        """End the watcher: there will be no more items."""
        self.is_over = True
        self.woken.set()

    def take(self) -> Batch[T]:
        """Return all waiting items, which may be none. Raises Exhausted when the watcher was cut."""
        if self._is_cut:
            raise Exhausted(
                "WATCHER_TOO_SLOW",
                "Too many events waited for the client; watch again with the resume token.",
                metadata={"resume_token": token_of(self.position)},
            )
        if self._is_reset:
            self._is_reset = False
            return Batch(self.position, is_reset=True)
        self.position = self._feed_position()
        if not self._items:
            return Batch(self.position)
        items, self._items = self._items, []
        return Batch(self.position, items)

    async def next(self, until: float) -> Batch[T] | None:
        """Return the next batch; None when the watcher has ended, or at the time `until` of the loop's clock.

        The first batch is returned at once, has no items, and its position is that at which the watcher starts. Without
        new items, a heartbeat is returned after HEARTBEAT_SECONDS. Raises Exhausted when the watcher was cut.
        """
        if self._first:
            self._first = False
            return self.take() if self._is_reset else Batch(self.position)
        now = asyncio.get_running_loop().time()
        if not (self._items or self._is_reset or self._is_cut or self.is_over):
            self.woken.clear()
            await within(self.woken, min(HEARTBEAT_SECONDS, until - now))
        return None if self.is_over or asyncio.get_running_loop().time() >= until else self.take()


async def within(event: asyncio.Event, seconds: float) -> bool:
    """Wait up to `seconds` for `event`; return whether it was set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await event.wait()
    return False
