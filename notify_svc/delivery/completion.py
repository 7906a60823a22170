"""Stores the results of delivery attempts. Used by `deliverer` and `removed_channels`.

It dead-letters deliveries that were given up, and passes complete events to `acknowledger`.
"""

from collections.abc import Sequence

from notify_svc.domain import DeadLetter, Outcome
from notify_svc.events.acknowledger import Acknowledger, Completed
from notify_svc.storage.dead_letters import DeadLetters
from notify_svc.storage.event_store import Attempt, EventStore


class Completion:
    """Stores results. `complete` raises RedisError while Redis is unavailable; it is safe to repeat."""

    def __init__(self, event_store: EventStore, dead_letters: DeadLetters, acknowledger: Acknowledger) -> None:
        self._event_store = event_store
        self._dead_letters = dead_letters
        self._acknowledger = acknowledger

    async def complete(self, channel: str, attempts: Sequence[Attempt]) -> None:
        """Store the results of one channel. Dead letters come first: after a crash in between, the delivery repeats."""
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
