"""Handles stream entries: records, skips or dead-letters each one. Called by `consumer`.

Reminders go through `reminders` before they are recorded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from notify_svc.domain import DeadLetter, Kind, Notification, Reason
from notify_svc.events.acknowledger import Acknowledger, Completed
from notify_svc.events.decode import InvalidEvent, decode, readable_id
from notify_svc.events.recorder import Recorder
from notify_svc.events.reminders import Reminders
from notify_svc.metrics import NotifyMetrics
from notify_svc.storage.dead_letters import DeadLetters
from notify_svc.storage.event_store import EventStore

_REMINDER_FACTOR = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A stream entry and its number of deliveries. `fields` is empty if the entry was deleted."""

    id: str
    fields: Mapping[bytes, bytes]
    deliveries: int = 1


class EventHandler:
    """Handles stream entries in batches."""

    def __init__(
        self,
        event_store: EventStore,
        recorder: Recorder,
        reminders: Reminders,
        dead_letters: DeadLetters,
        acknowledger: Acknowledger,
        *,
        metrics: NotifyMetrics,
        max_deliveries: int,
    ) -> None:
        self._event_store = event_store
        self._recorder = recorder
        self._reminders = reminders
        self._dead_letters = dead_letters
        self._acknowledger = acknowledger
        self._metrics = metrics
        self._max_deliveries = max_deliveries

    async def handle(self, entries: Sequence[Entry]) -> None:
        """Handle a batch. Raises RedisError while Redis is unavailable; the batch stays pending and is read again."""
        entries = [each for each in entries if each.deliveries == 1 or not self._is_held(each)]
        exceeded = await self._over_max_deliveries(entries)
        arrived: list[tuple[str, Notification]] = []
        skipped: list[str] = []
        for entry in entries:
            if not entry.fields:
                self._metrics.deleted.inc()
                skipped.append(entry.id)
                continue
            try:
                if entry.id in exceeded:
                    raise InvalidEvent(Reason.MAX_DELIVERIES_EXCEEDED, "delivered too often without being recorded")
                notification = decode(entry.fields)
            except InvalidEvent as invalid:
                await self._dead_letter(entry, invalid)
                continue
            if notification is None:
                skipped.append(entry.id)
            elif notification.kind is Kind.TASK_DUE:
                self._reminders.add(entry.id, notification)
            else:
                arrived.append((entry.id, notification))
        if arrived:
            await self._recorder.record(arrived)
        await self._acknowledger.skip(skipped)

    def _is_held(self, entry: Entry) -> bool:
        """Return whether this process is still handling an earlier delivery of the entry."""
        return self._acknowledger.holds(entry.id) or self._reminders.holds(entry.id)

    async def _over_max_deliveries(self, entries: Sequence[Entry]) -> set[str]:
        """Return the entries above their maximum deliveries whose event is not recorded.

        An entry of a recorded event is not counted: it only waits for a channel.
        """
        suspects = [entry for entry in entries if entry.fields and entry.deliveries > self._max_of(entry)]
        if not suspects:
            return set()
        known = await self._event_store.are_recorded([readable_id(entry.fields) for entry in suspects])
        return {entry.id for entry, is_known in zip(suspects, known, strict=True) if not is_known}

    def _max_of(self, entry: Entry) -> int:
        # While the task service is unavailable, reminders are redelivered many times.
        is_reminder = readable_id(entry.fields).endswith(":due")
        return self._max_deliveries * (_REMINDER_FACTOR if is_reminder else 1)

    async def _dead_letter(self, entry: Entry, invalid: InvalidEvent) -> None:
        event_id = readable_id(entry.fields)
        letter = DeadLetter(
            entry.id,
            event_id,
            invalid.reason,
            invalid.detail,
            entry.deliveries,
            id_field=entry.fields.get(b"id", b""),
            event=entry.fields.get(b"event", b""),
        )
        await self._dead_letters.add(letter)
        await self._acknowledger.add(Completed(event_id, (entry.id,)))
