"""Lists, replays and discards dead letters. `dead_letters` adds them; `dead_letter_servicer` calls this module."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from redis.asyncio import Redis

from notify_svc.domain import DEAD_LETTER_EVENT_BYTES_MAX, DEAD_LETTERS_LIMIT, KEEP_MS, Cursor, NowMs, StoredDeadLetter
from notify_svc.metrics import NotifyMetrics
from notify_svc.storage import redis_client, redis_keys
from notify_svc.storage.redis_deadline import redis_deadline

_log = structlog.get_logger("dead letters")

_PAGE_BYTES_MAX = 2 * 1024 * 1024
_BATCH = 100


@dataclass(frozen=True, slots=True)
class DeadLetterPage:
    """A page of dead letters, oldest first; `next` is None on the last page."""

    letters: list[StoredDeadLetter]
    next: Cursor | None
    total_count: int


@dataclass(slots=True)
class Replayed:
    """The result of a replay: how many were replayed, how many their channel delivered in the meantime (these are
    removed), and the keys of those that cannot be replayed and are kept.
    """

    replayed: int = 0
    delivered_meanwhile: int = 0
    not_replayable: list[str] = field(default_factory=list)


class DeadLetterAdmin:
    """Operations on the dead letters; `wake` notifies the deliverers of new deliveries.

    All methods raise Unavailable within three seconds if Redis does not respond, and DeadlineExceeded. The batches that
    were done before the error are counted and logged, and a repeated call does the rest. If a response is lost and
    redis-py retries, the counts are too low.
    """

    def __init__(
        self,
        client: Redis,
        scripts: redis_client.Scripts,
        channels: Collection[str],
        *,
        metrics: NotifyMetrics,
        now_ms: NowMs,
        wake: Callable[[], None],
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._replay_keys = [
            redis_keys.DEAD_LETTERS,
            redis_keys.EVENTS,
            redis_keys.CHANNELS,
            *map(redis_keys.pending_key, channels),
        ]
        self._metrics = metrics
        self._now_ms = now_ms
        self._wake = wake

    async def page(self, size: int, after: Cursor | None) -> DeadLetterPage:
        """Return up to `size` dead letters, from the oldest or after a cursor; fewer if they exceed 2 MiB."""
        position: list[str | int] = [] if after is None else [after.time_ms, after.id]
        async with redis_deadline():
            total, has_more, rows = await self._scripts.list_dead_letters(
                [redis_keys.DEAD_LETTERS], [size, _PAGE_BYTES_MAX, DEAD_LETTER_EVENT_BYTES_MAX, *position]
            )
        letters = [_letter(*row) for row in rows]
        next_cursor = Cursor(letters[-1].time_ms, letters[-1].key) if has_more else None
        return DeadLetterPage(letters, next_cursor, total)

    async def replay(self, keys: Sequence[str]) -> Replayed:
        """Replay these dead letters; ignore unknown keys."""
        done = Replayed()
        try:
            for batch in _batches(keys):
                async with redis_deadline():
                    found = await self._scripts.replay_dead_letters(
                        self._replay_keys, [self._now_ms(), KEEP_MS, *batch]
                    )
                done.replayed += found.count(b"replayed")
                done.delivered_meanwhile += found.count(b"over")
                done.not_replayable += [key for key, each in zip(batch, found, strict=True) if each == b"stays"]
        finally:
            self._wake()
            self._metrics.dead_letters_replayed.inc(done.replayed)
            _log.info(
                "replayed dead letters",
                replayed=done.replayed,
                delivered_meanwhile=done.delivered_meanwhile,
                not_replayable=len(done.not_replayable),
            )
        return done

    async def discard(self, keys: Sequence[str]) -> int:
        """Discard these dead letters permanently; return how many existed."""
        discarded = 0
        try:
            for batch in _batches(keys):
                async with redis_deadline():
                    discarded += await self._scripts.discard_dead_letters([redis_keys.DEAD_LETTERS], batch)
        finally:
            self._metrics.dead_letters_discarded.inc(discarded)
            _log.info("discarded dead letters", discarded=discarded)
        return discarded

    async def keys(self) -> list[str]:
        """Return the keys of all dead letters that exist now, oldest first.

        Operations on all dead letters read the keys first, so that they do not include those that are added meanwhile.
        """
        async with redis_deadline():
            keys: Any = await self._client.zrange(redis_keys.DEAD_LETTERS, 0, DEAD_LETTERS_LIMIT - 1)
        return [key.decode() for key in keys]


def _batches(keys: Sequence[str]) -> Iterator[list[str]]:
    once = list(dict.fromkeys(keys))
    return (once[first : first + _BATCH] for first in range(0, len(once), _BATCH))


def _letter(key: bytes, time: bytes, fields: Sequence[bytes | None]) -> StoredDeadLetter:
    event_id, reason, detail, attempts, channel, event = (each or b"" for each in fields)
    return StoredDeadLetter(
        key=_text(key),
        time_ms=int(float(time)),
        event_id=_text(event_id),
        reason=_text(reason),
        detail=_text(detail),
        attempts=int(attempts or 0),
        channel=_text(channel),
        event=event,
    )


def _text(value: bytes) -> str:
    return value.decode(errors="replace")
