"""Read a Redis stream into a feed: completely, in order, without a consumer group.

It starts with the newest entries, as many as the feed keeps. After an error it continues at its position, unless the
stream may have lost entries after that position: then it starts again, and the watchers get a reset.
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from chassis.feed.feed import Feed
from chassis.feed.stream_id import StreamId, stream_id_of, token_of
from chassis.feed.watcher import Item

_log = structlog.get_logger("stream tail")

_BATCH = 500
_BLOCK_MS = 1000  # well below the client's timeout, so that an idle stream does not look like a dead connection

T = TypeVar("T")
Fields = Mapping[bytes, bytes]
Row = tuple[bytes, dict[bytes, bytes]]


class StreamTail(Generic[T]):
    """The only reader of a stream in its process; `decode` returns the item of an entry, or None to skip the entry."""

    def __init__(
        self, client: Redis, stream: str, feed: Feed[T], decode: Callable[[StreamId, Fields], Item[T] | None]
    ) -> None:
        self._client = client
        self._stream = stream
        self._feed = feed
        self._decode = decode

    async def run(self) -> None:
        """Run until cancelled. Raises RedisError while Redis is unavailable; when run again, it continues."""
        position = self._feed.position
        if position is None or not await self._still_holds(position):
            position = await self._begin()
        while True:
            streams: dict[Any, Any] = {self._stream: token_of(position)}
            answer: Any = await self._client.xread(streams, count=_BATCH, block=_BLOCK_MS)
            rows: list[Row] = answer[0][1] if answer else []
            for entry_id, fields in rows:
                position = _position(entry_id)
                self._take_in(position, fields)

    async def _still_holds(self, position: StreamId) -> bool:
        """Return whether no entry after `position` is lost: its entry still exists, or it is the last one added."""
        token = token_of(position)
        entry: Any = await self._client.xrange(self._stream, token, token)
        return bool(entry) or await self._newest_ever() == position

    async def _begin(self) -> StreamId:
        newest_first = await self._newest_entries()
        # All entries after the oldest one that was read are known, but not those before it.
        first = _position(newest_first.pop()[0]) if newest_first else None
        start = first or await self._newest_ever() or await self._now()
        _log.info("reading the stream", stream=self._stream, held=len(newest_first))
        self._feed.begin(start)
        for entry_id, fields in reversed(newest_first):
            self._take_in(_position(entry_id), fields)
        return self._feed.position or start

    async def _newest_entries(self) -> list[Row]:
        rows: list[Row] = []
        size, before = 0, "+"
        while len(rows) <= self._feed.limits.items and size <= self._feed.limits.bytes:
            page: Any = await self._client.xrevrange(self._stream, before, "-", count=_BATCH)
            rows += page
            if len(page) < _BATCH:
                break
            size += sum(len(value) for _, fields in page for value in fields.values())
            before = f"({page[-1][0].decode()}"
        return rows

    async def _newest_ever(self) -> StreamId | None:
        try:
            info: Any = await self._client.xinfo_stream(self._stream)
        except ResponseError:  # the stream does not exist yet
            return None
        newest = _position(info["last-generated-id"])
        return newest if newest > (0, 0) else None

    async def _now(self) -> StreamId:
        """Return a position before all future entries, and after all entries of an earlier stream of this name."""
        seconds, microseconds = await self._client.time()
        return (seconds * 1000 + microseconds // 1000 - 1, 0)

    def _take_in(self, position: StreamId, fields: Fields) -> None:
        item = self._decode(position, fields)
        if item is None:
            self._feed.advance(position)
        else:
            self._feed.append(item)


def _position(entry_id: bytes) -> StreamId:
    position = stream_id_of(entry_id.decode())
    assert position is not None  # noqa: S101 (Redis generates valid ids)
    return position
