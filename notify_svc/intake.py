"""Decides what becomes of stream entries: recorded and delivered, passed over, or put among the dead letters.

Between `consumer`, which reads them, and `finisher`, which acknowledges them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from redis.asyncio import Redis

from notify_svc import store
from notify_svc.dead_letters import DeadLetters
from notify_svc.decode import Poison, decode, readable_id
from notify_svc.domain import DeadLetter, Notification, Reason
from notify_svc.finisher import Finisher, Settled
from notify_svc.ledger import Ledger, Recorded
from notify_svc.metrics import NotifyMetrics


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the stream, and how often it was given to a consumer; without fields it has been deleted."""

    id: str
    fields: Mapping[bytes, bytes]
    deliveries: int = 1


class Intake:
    """Takes in what was read; `wake` tells the deliverers that there is something to deliver."""

    def __init__(
        self,
        client: Redis,
        ledger: Ledger,
        dead_letters: DeadLetters,
        finisher: Finisher,
        *,
        metrics: NotifyMetrics,
        max_deliveries: int,
        wake: Callable[[], None],
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._dead_letters = dead_letters
        self._finisher = finisher
        self._metrics = metrics
        self._max_deliveries = max_deliveries
        self._wake = wake

    async def take_in(self, entries: Sequence[Entry]) -> None:
        """Handles a batch. Raises RedisError while Redis is away; the batch is pending then and will be read again."""
        entries = [entry for entry in entries if not self._finisher.holds(entry.id)]
        worn_out = await self._worn_out(entries)
        arrived: list[tuple[str, Notification]] = []
        passed_over: list[str] = []
        for entry in entries:
            if not entry.fields:
                self._metrics.deleted.inc()
                passed_over.append(entry.id)
                continue
            try:
                if entry.id in worn_out:
                    raise Poison(Reason.WORN_OUT, "read again and again, and never recorded")
                notification = decode(entry.fields)
            except Poison as poison:
                await self._bury(entry, poison)
                continue
            if notification is None:
                passed_over.append(entry.id)
            else:
                arrived.append((entry.id, notification))
        if arrived:
            passed_over.extend(await self._record(arrived))
        if passed_over:
            await self._client.xack(store.EVENTS, store.GROUP, *passed_over)

    async def _worn_out(self, entries: Sequence[Entry]) -> set[str]:
        """Entries read too often whose event was never recorded; a recorded one only waits for a channel."""
        suspects = [entry for entry in entries if entry.fields and entry.deliveries > self._max_deliveries]
        if not suspects:
            return set()
        known = await self._ledger.are_known([readable_id(entry.fields) for entry in suspects])
        return {entry.id for entry, is_known in zip(suspects, known, strict=True) if not is_known}

    async def _bury(self, entry: Entry, poison: Poison) -> None:
        event_id = readable_id(entry.fields)
        letter = DeadLetter(
            entry.id,
            event_id,
            poison.reason,
            poison.detail,
            entry.deliveries,
            id_field=entry.fields.get(b"id", b""),
            event=entry.fields.get(b"event", b""),
        )
        await self._dead_letters.put(letter)
        await self._finisher.finish(Settled(event_id, (entry.id,)))

    async def _record(self, arrived: Sequence[tuple[str, Notification]]) -> list[str]:
        """Records a batch; returns the entries that need no more than to be acknowledged."""
        surplus = []
        for (entry_id, notification), found in zip(arrived, await self._ledger.record(arrived), strict=True):
            if found in (Recorded.SETTLED, Recorded.JOINED, Recorded.SURPLUS):
                self._metrics.duplicates.inc()
            if found is Recorded.SETTLED:
                await self._finisher.finish(Settled(notification.id, (entry_id,)))
            elif found is Recorded.SURPLUS:
                surplus.append(entry_id)
        self._wake()
        return surplus
