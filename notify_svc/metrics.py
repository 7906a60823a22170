"""What the notifier counts; the gauges are refreshed by `gauges`."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_DELIVERY_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)


class NotifyMetrics:
    """The metrics of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(name, text, registry=registry)

        self.notifications = counter(
            "notifications_total", "Attempts to deliver: delivered, retried, gave_up.", "channel", "outcome"
        )
        self.delivery_seconds = Histogram(
            "notification_delivery_seconds",
            "From the event to its delivery.",
            ["channel"],
            buckets=_DELIVERY_BUCKETS,
            registry=registry,
        )
        self.redelivered = counter("events_redelivered_total", "Stream entries that were read again.")
        self.duplicates = counter("events_duplicate_total", "Events that came again and had no second effect.")
        self.claimed = counter("stream_claimed_total", "Stream entries taken over from a consumer that left them.")
        self.deleted = counter("stream_deleted_while_pending_total", "Entries that vanished before they were settled.")
        self.dead_lettered = counter("dead_lettered_total", "What was put among the dead letters.", "reason")
        self.dead_letters_dropped = counter("dead_letters_dropped_total", "Dropped, as the oldest of too many.")
        self.dead_letters_replayed = counter("dead_letters_replayed_total", "Handled once more for an operator.")
        self.dead_letters_discarded = counter("dead_letters_discarded_total", "Thrown away by an operator.")
        self.reminders_outdated = counter(
            "reminders_outdated_total", "Reminders of tasks that were done, deleted or moved meanwhile."
        )
        self.confirmations_failed = counter("confirmations_failed_total", "Calls of ConfirmEvents that failed.")
        self.dead_letters = gauge("dead_letters", "How many dead letters there are.")
        self.lag = gauge("stream_lag", "Stream entries that the group has not read.")
        self.pending = gauge("stream_pending", "Stream entries that were read and not acknowledged.")
        self.unconfirmed = gauge("settled_unconfirmed", "Settled events that wait in this process for ConfirmEvents.")
        self.last_read = gauge("stream_last_read_timestamp_seconds", "When the stream was last read, in Unix time.")
