"""Stores dead letters: events and deliveries that could not be processed.

`event_handler` and `completion` add dead letters; `dead_letter_admin` lists, replays and discards them.
"""

import structlog

from notify_svc.domain import (
    DEAD_LETTER_DETAIL_MAX,
    DEAD_LETTER_EVENT_BYTES_MAX,
    DEAD_LETTERS_LIMIT,
    DeadLetter,
    NowMs,
)
from notify_svc.metrics import NotifyMetrics
from notify_svc.storage import redis_client, redis_keys
from notify_svc.storage.event_store import notification_to_json

_log = structlog.get_logger("dead letters")

_ID_BYTES_MAX = 128


class DeadLetters:
    """The dead letters in Redis. `add` raises RedisError while Redis is unavailable."""

    def __init__(self, scripts: redis_client.Scripts, metrics: NotifyMetrics, now_ms: NowMs) -> None:
        self._scripts = scripts
        self._metrics = metrics
        self._now_ms = now_ms

    async def add(self, letter: DeadLetter) -> None:
        """Store, count and log a dead letter; do nothing if its key exists already.

        Above DEAD_LETTERS_LIMIT, the oldest ones are dropped; that is counted and logged too.
        """
        fields = _fields(letter)
        flat = [part for field in fields.items() for part in field]
        dropped = await self._scripts.add_dead_letter(
            [redis_keys.DEAD_LETTERS], [letter.key, self._now_ms(), DEAD_LETTERS_LIMIT, *flat]
        )
        if dropped is None:
            return
        self._metrics.dead_lettered.labels(letter.reason.value).inc()
        _log.error(
            "dead letter",
            key=letter.key,
            event_id=letter.event_id,
            reason=letter.reason.value,
            detail=fields["detail"],
            attempts=letter.attempts,
        )
        if dropped:
            self._metrics.dead_letters_dropped.inc(len(dropped))
            _log.error("dropped the oldest dead letters", count=len(dropped), first=dropped[0].decode())


def _fields(letter: DeadLetter) -> dict[str, str | int | bytes]:
    """Return the stored fields of a dead letter, without an event that is too large."""
    event, detail = letter.event, letter.detail[:DEAD_LETTER_DETAIL_MAX]
    if len(event) > DEAD_LETTER_EVENT_BYTES_MAX:
        detail += f" (the event is not stored: {len(event)} bytes)"
        event = b""
    return {
        "event_id": letter.event_id,
        "id": letter.id_field[:_ID_BYTES_MAX],
        "event": event,
        "reason": letter.reason.value,
        "detail": detail.encode(errors="replace").decode(),  # an error's message may not be valid Unicode
        "attempts": letter.attempts,
        "channel": letter.channel,
        "notification": notification_to_json(letter.notification) if letter.notification else "",
    }
