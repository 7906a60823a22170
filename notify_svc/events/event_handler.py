"""Decides what becomes of stream entries: recorded and delivered, passed over, or put among the dead letters.

Between `consumer`, which reads them, and `finisher`, which acknowledges them; reminders go round by `reminders`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from redis.asyncio import Redis
from task.v1 import task_pb2_grpc

from notify_svc.domain import DeadLetter, Kind, Notification, Reason
from notify_svc.events.acknowledger import Finisher, Settled
from notify_svc.events.decode import Poison, decode, readable_id
from notify_svc.events.reminders import Reminders
from notify_svc.metrics import NotifyMetrics
from notify_svc.storage import redis_keys
from notify_svc.storage.dead_letters import DeadLetters
from notify_svc.storage.event_store import Ledger, Recorded

_PATIENCE_WITH_REMINDERS = 1_000


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
        tasks: "task_pb2_grpc.TaskServiceAsyncStub",
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
        self.reminders = Reminders(tasks, ledger, finisher, metrics=metrics, record=self._record)

    async def take_in(self, entries: Sequence[Entry]) -> None:
        """Handles a batch. Raises RedisError while Redis is away; the batch is pending then and will be read again."""
        entries = [entry for entry in entries if not (self._finisher.holds(entry.id) or self.reminders.holds(entry.id))]
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
            elif notification.kind is Kind.TASK_DUE:
                self.reminders.take(entry.id, notification)
            else:
                arrived.append((entry.id, notification))
        if arrived:
            await self._record(arrived)
        await self._acknowledge(passed_over)

    async def _worn_out(self, entries: Sequence[Entry]) -> set[str]:
        """Entries read too often whose event was never recorded; a recorded one only waits for a channel."""
        suspects = [entry for entry in entries if entry.fields and entry.deliveries > self._most_deliveries(entry)]
        if not suspects:
            return set()
        known = await self._ledger.are_known([readable_id(entry.fields) for entry in suspects])
        return {entry.id for entry, is_known in zip(suspects, known, strict=True) if not is_known}

    def _most_deliveries(self, entry: Entry) -> int:
        # A reminder may be read again for as long as the task service is away.
        is_reminder = readable_id(entry.fields).endswith(":due")
        return self._max_deliveries * (_PATIENCE_WITH_REMINDERS if is_reminder else 1)

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

    async def _record(self, arrived: Sequence[tuple[str, Notification]]) -> None:
        """Records a batch, and has it delivered."""
        surplus = []
        for (entry_id, notification), found in zip(arrived, await self._ledger.record(arrived), strict=True):
            if found in (Recorded.SETTLED, Recorded.JOINED, Recorded.SURPLUS):
                self._metrics.duplicates.inc()
            if found is Recorded.SETTLED:
                await self._finisher.finish(Settled(notification.id, (entry_id,)))
            elif found is Recorded.SURPLUS:
                surplus.append(entry_id)
        self._wake()
        await self._acknowledge(surplus)

    async def _acknowledge(self, entry_ids: Sequence[str]) -> None:
        if entry_ids:
            await self._client.xack(redis_keys.EVENTS, redis_keys.GROUP, *entry_ids)
