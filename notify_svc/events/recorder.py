"""Records notifications in the event store and wakes the deliverers. Used by `event_handler` and `reminders`."""

from collections.abc import Callable, Sequence

from notify_svc.domain import Notification
from notify_svc.events.acknowledger import Acknowledger, Completed
from notify_svc.metrics import NotifyMetrics
from notify_svc.storage.event_store import EventStore, Recorded


class Recorder:
    """Records notifications, then calls `wake`, because there may be new deliveries."""

    def __init__(
        self, event_store: EventStore, acknowledger: Acknowledger, metrics: NotifyMetrics, wake: Callable[[], None]
    ) -> None:
        self._event_store = event_store
        self._acknowledger = acknowledger
        self._metrics = metrics
        self._wake = wake

    async def record(self, arrived: Sequence[tuple[str, Notification]]) -> None:
        """Record notifications, each with the id of its stream entry. Raises RedisError while Redis is unavailable."""
        surplus = []
        for (entry_id, notification), found in zip(arrived, await self._event_store.record(arrived), strict=True):
            if found in (Recorded.COMPLETED, Recorded.JOINED, Recorded.SURPLUS):
                self._metrics.duplicates.inc()
            if found is Recorded.COMPLETED:
                await self._acknowledger.add(Completed(notification.id, (entry_id,)))
            elif found is Recorded.SURPLUS:
                surplus.append(entry_id)
        self._wake()
        await self._acknowledger.skip(surplus)
