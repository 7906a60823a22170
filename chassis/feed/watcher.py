"""One who watches a feed (`chassis.feed.feed`): what was offered and not yet taken, and where it stands."""

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
    """An event of a feed: whose it is, when it occurred (seconds since 1970), and about how many bytes it takes."""

    position: StreamId
    owner: str
    occurred: float
    size: int
    value: T


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """What a watcher takes at once; it stands at `position` then.

    A reset has no items and says that something may have been missed; with neither it is a heartbeat.
    """

    position: StreamId
    items: Sequence[Item[T]] = ()
    is_reset: bool = False

    def pieces(self, size: int) -> Iterator["Batch[T]"]:
        """The same in pieces of at most `size` bytes, or of one item where that is larger."""
        first, taken = 0, 0
        for i, item in enumerate(self.items):
            if i > first and taken + item.size > size:
                yield Batch(self.items[i - 1].position, self.items[first:i])
                first, taken = i, 0
            taken += item.size
        yield Batch(self.position, self.items[first:], self.is_reset)


def lifetime_seconds() -> float:
    """How long to let somebody watch: revoked rights end within five minutes, and not everybody's at once."""
    return random.uniform(*LIFETIME_SECONDS)  # noqa: S311 (spreads load, guards nothing)


class Watcher(Generic[T]):
    """Is offered items, and has to take them before `limit` of them wait, or it is cut.

    `standing` tells where the feed stands; `woken` is set when there is something to take, or when it is over.
    """

    __slots__ = (
        "_first",
        "_is_cut",
        "_is_reset",
        "_items",
        "_limit",
        "_standing",
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
        standing: Callable[[], StreamId],
        woken: asyncio.Event | None,
    ) -> None:
        self.owner = owner
        self.position = position
        self.woken = woken or asyncio.Event()
        self.is_over = False
        self._items = list(missed)
        self._limit = limit + len(self._items)
        self._standing = standing
        self._is_reset = is_reset
        self._is_cut = False
        self._first = True

    def offer(self, item: Item[T]) -> bool:
        """Puts an item where `take` finds it; False when that was one too many and the watcher is cut."""
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
        """Forgets what waits: what was before can no longer be told in full."""
        self._items.clear()
        self._is_reset = True
        self.position = self._standing()
        self.woken.set()

    def end(self) -> None:
        """Tells that nothing will come any more."""
        self.is_over = True
        self.woken.set()

    def take(self) -> Batch[T]:
        """All that waits, perhaps nothing. Raises Exhausted when the watcher was cut."""
        if self._is_cut:
            raise Exhausted(
                "WATCHER_TOO_SLOW",
                "Too much waited for the caller; watch again with the resume token.",
                metadata={"resume_token": token_of(self.position)},
            )
        if self._is_reset:
            self._is_reset = False
            return Batch(self.position, is_reset=True)
        self.position = self._standing()
        if not self._items:
            return Batch(self.position)
        items, self._items = self._items, []
        return Batch(self.position, items)

    async def next(self, until: float) -> Batch[T] | None:
        """The next batch; None when it is over, or at the time `until` on the loop's clock.

        The first comes at once, has no items and tells where it begins; a heartbeat comes when nothing else does.
        Raises Exhausted when the watcher was cut.
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
    """Waits for `event` up to `seconds`; tells whether it was set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await event.wait()
    return False
