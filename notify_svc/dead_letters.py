"""Where that goes which cannot be handled: kept with its reason, so that somebody can look at it and replay it."""

from typing import Any

import structlog
from redis.asyncio import Redis

from notify_svc import store
from notify_svc.domain import DeadLetter, NowMs
from notify_svc.metrics import NotifyMetrics

_log = structlog.get_logger("dead letters")


class DeadLetters:
    """The dead letters in Redis; raises RedisError while that is away."""

    def __init__(self, client: Redis, scripts: store.Scripts, metrics: NotifyMetrics, now_ms: NowMs) -> None:
        self._client = client
        self._scripts = scripts
        self._metrics = metrics
        self._now_ms = now_ms

    async def put(self, letter: DeadLetter) -> None:
        """Keeps, counts and logs a dead letter; one that is there already is left as it is."""
        fields: dict[str, str | int | bytes] = {
            "event_id": letter.event_id,
            "event": letter.event,
            "reason": letter.reason.value,
            "detail": letter.detail,
            "attempts": letter.attempts,
            "channel": letter.channel,
        }
        keys = [store.DEAD_LETTERS, store.dead_letter_key(letter.key)]
        flat = [part for field in fields.items() for part in field]
        if await self._scripts.bury(keys, [letter.key, self._now_ms(), *flat]):
            self._metrics.dead_lettered.labels(letter.reason.value).inc()
            _log.error(
                "dead letter",
                key=letter.key,
                event_id=letter.event_id,
                reason=letter.reason.value,
                detail=letter.detail,
                attempts=letter.attempts,
            )

    async def event_of(self, entry_id: str) -> bytes:
        """The event in a stream entry, or no bytes where the entry is gone."""
        entries: Any = await self._client.xrange(store.EVENTS, entry_id, entry_id)
        event: bytes = entries[0][1].get(b"event", b"") if entries else b""
        return event
