"""The metrics of the outbox."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from task_svc.outbox import Clock, OutboxStore


class RelayMetrics:
    """Counts the relay's work and the size of the outbox."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.published = Counter("outbox_published_total", "Events published to the stream.", registry=registry)
        self.republished = Counter(
            "outbox_republished_total", "Events published again because the stream lost them.", registry=registry
        )
        self.left_to_sweep = Counter(
            "outbox_left_to_sweep_total",
            "Events that were not published immediately and left to the sweep.",
            registry=registry,
        )
        self.pending = Gauge("outbox_pending", "Events stored but not yet published.", registry=registry)
        self.unconfirmed = Gauge("outbox_unconfirmed", "Events published but not yet confirmed.", registry=registry)
        self.oldest = Gauge(
            "outbox_oldest_pending_seconds", "Age of the oldest unpublished event; 0 for none.", registry=registry
        )

    async def refresh(self, store: OutboxStore, clock: Clock) -> None:
        """Set the gauges from the store. Raises Unavailable while the store is unavailable."""
        backlog = await store.backlog()
        self.pending.set(backlog.unpublished)
        self.unconfirmed.set(backlog.unconfirmed)
        oldest = backlog.oldest_unpublished
        self.oldest.set(0 if oldest is None else max(0.0, (clock() - oldest).total_seconds()))
