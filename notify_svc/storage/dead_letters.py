"""Stores dead letters: events and deliveries that could not be processed.

`event_handler` and the deliverers put letters down here; operators decide what becomes of them in `dead_letter_admin`.
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
    """The dead letters in Redis; raises RedisError while that is away."""

    def __init__(self, scripts: redis_client.Scripts, metrics: NotifyMetrics, now_ms: NowMs) -> None:
        self._scripts = scripts
        self._metrics = metrics
        self._now_ms = now_ms

    async def add(self, letter: DeadLetter) -> None:
        """Keeps, counts and logs a dead letter; one that is there already is left as it is.

        When there are too many, the oldest make room, and are counted and logged too.
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
    """A letter as it stands in Redis; what is too long to keep is named in the detail."""
    event, detail = letter.event, letter.detail[:DEAD_LETTER_DETAIL_MAX]
    if len(event) > DEAD_LETTER_EVENT_BYTES_MAX:
        detail += f" (an event of {len(event)} bytes is not kept)"
        event = b""
    return {
        "event_id": letter.event_id,
        "id": letter.id_field[:_ID_BYTES_MAX],
        "event": event,
        "reason": letter.reason.value,
        "detail": detail.encode(errors="replace").decode(),  # what an error says may be no UTF-8
        "attempts": letter.attempts,
        "channel": letter.channel,
        "notification": notification_to_json(letter.notification) if letter.notification else "",
    }
