"""Stores the results of delivery attempts: dead-letters what was given up, and hands complete events to `acknowledger`.

Used by `deliverer` and `removed_channels`.
"""

from collections.abc import Sequence

from notify_svc.domain import DeadLetter, Outcome
from notify_svc.events.acknowledger import Acknowledger, Completed
from notify_svc.storage.dead_letters import DeadLetters
from notify_svc.storage.event_store import Attempt, EventStore


class Completion:
    """Raises RedisError while Redis is away; a repeat has no second effect."""

    def __init__(self, event_store: EventStore, dead_letters: DeadLetters, acknowledger: Acknowledger) -> None:
        self._event_store = event_store
        self._dead_letters = dead_letters
        self._acknowledger = acknowledger

    async def complete(self, channel: str, attempts: Sequence[Attempt]) -> None:
        """Stores results of one channel. A dead letter comes first: a crash in between only repeats it."""
        given_up = [attempt for attempt in attempts if attempt.outcome is Outcome.GAVE_UP]
        await self._store(channel, [attempt for attempt in attempts if attempt.outcome is not Outcome.GAVE_UP])
        for attempt in given_up:
            await self._dead_letters.add(_dead_letter(channel, attempt))
        await self._store(channel, given_up)

    async def _store(self, channel: str, attempts: Sequence[Attempt]) -> None:
        if not attempts:
            return
        for attempt, entries in zip(attempts, await self._event_store.complete(channel, attempts), strict=True):
            if entries is not None:
                await self._acknowledger.add(Completed(attempt.delivery.notification.id, entries))


def _dead_letter(channel: str, attempt: Attempt) -> DeadLetter:
    delivery = attempt.delivery
    return DeadLetter(
        f"{delivery.entries[0]}/{channel}",
        delivery.notification.id,
        attempt.reason,
        attempt.detail,
        delivery.attempt if attempt.is_made else delivery.attempt - 1,
        channel=channel,
        notification=delivery.notification,
    )
