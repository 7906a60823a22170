"""The metrics of the notification service; `gauges` refreshes the gauges."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from notify_svc.domain import Reason

_DELIVERY_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)


class NotifyMetrics:
    """The metrics of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(name, text, registry=registry)

        self.notifications = counter(
            "notifications_total", "Delivery attempts by outcome: delivered, retried, gave_up.", "channel", "outcome"
        )
        self.delivery_seconds = Histogram(
            "notification_delivery_seconds",
            "Time from the event to its delivery, in seconds.",
            ["channel"],
            buckets=_DELIVERY_BUCKETS,
            registry=registry,
        )
        self.redelivered = counter("events_redelivered_total", "Stream entries delivered more than once.")
        self.duplicates = counter("events_duplicate_total", "Duplicate events, which were ignored.")
        self.claimed = counter("stream_claimed_total", "Stream entries claimed from another consumer.")
        self.deleted = counter(
            "stream_deleted_while_pending_total", "Stream entries deleted before they were acknowledged."
        )
        self.dead_lettered = counter("dead_lettered_total", "Dead letters added, by reason.", "reason")
        for reason in Reason:
            self.dead_lettered.labels(reason.value)  # starts at 0, so that Prometheus sees the first increase
        self.dead_letters_dropped = counter(
            "dead_letters_dropped_total", "Oldest dead letters dropped because the list was full."
        )
        self.dead_letters_replayed = counter("dead_letters_replayed_total", "Dead letters replayed by an operator.")
        self.dead_letters_discarded = counter("dead_letters_discarded_total", "Dead letters discarded by an operator.")
        self.reminders_outdated = counter(
            "reminders_outdated_total", "Reminders skipped because the task is done, deleted or due at another time."
        )
        self.confirmations_failed = counter("confirmations_failed_total", "Failed ConfirmEvents calls.")
        self.dead_letters = gauge("dead_letters", "Stored dead letters.")
        self.lag = gauge("stream_lag", "Stream entries not yet read by the consumer group.")
        self.pending = gauge("stream_pending", "Stream entries read but not yet acknowledged.")
        self.unconfirmed = gauge("settled_unconfirmed", "Completed events in this process that wait for confirmation.")
        self.last_read = gauge("stream_last_read_timestamp_seconds", "Unix time of the last read of the stream.")
