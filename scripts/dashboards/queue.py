"""The dashboard Queue: events between a task's write and the delivery of its notification."""

from scripts.dashboards.grafana import Dashboard, Panel, Query, Row
from scripts.dashboards.promql import quantile, rate

_OUTBOX = Row(
    "Outbox: stored with the task, not yet confirmed",
    [
        Panel(
            "Age of the oldest unpublished event",
            "s",
            "How long the oldest event has waited to be published; 0 if none waits.",
            "Runbook, OutboxOld. Redis is unavailable or refuses writes. Tasks still work, and no event is lost.",
            [Query("max(outbox_oldest_pending_seconds)", "age")],
            limits=[(60, "red")],
        ),
        Panel(
            "Waiting events",
            "short",
            "*unpublished*: stored, not yet published. *unconfirmed*: published, not yet processed by all channels.",
            "*unpublished* grows: a problem with Redis. *unconfirmed* grows: the notification service or a channel is "
            "unavailable or slow.",
            [
                Query("max(outbox_pending)", "unpublished"),
                Query("max(outbox_unconfirmed)", "unconfirmed"),
            ],
        ),
        Panel(
            "Published events",
            "ops",
            "Events per second: published; republished because the stream had lost them; left to the job `sweep`.",
            "*republished* above zero: Redis restarted without its data. *left to sweep*: Redis was down or slow.",
            [
                Query(rate("outbox_published_total"), "published"),
                Query(rate("outbox_republished_total"), "republished"),
                Query(rate("outbox_left_to_sweep_total"), "left to sweep"),
            ],
        ),
    ],
)

_STREAM = Row(
    "Stream: published, not yet acknowledged",
    [
        Panel(
            "Lag and pending",
            "short",
            "*lag*: entries not yet read by the consumer group. *pending*: entries read but not yet acknowledged.",
            "Runbook, StreamLags. If *pending* does not fall: a delivery is retried, or a consumer has just failed.",
            [Query("max(stream_lag)", "lag"), Query("max(stream_pending)", "pending")],
            limits=[(100, "red")],
        ),
        Panel(
            "Age of the last read",
            "s",
            "The time since any consumer last read the stream. An idle consumer reads every second.",
            "Runbook, NotifierStalled. A high age means that the consumer is stuck, even if its process is running.",
            [Query("time() - max(max_over_time(stream_last_read_timestamp_seconds[1h]))", "age")],
            limits=[(60, "red")],
        ),
        Panel(
            "Redeliveries",
            "ops",
            "Entries per second: delivered more than once; claimed from another consumer; ignored as duplicates; "
            "deleted before they were acknowledged.",
            "Some redeliveries after a crash or an error are normal and harmless. If they continue, a consumer crashes "
            "repeatedly on the same entry.",
            [
                Query(rate("events_redelivered_total"), "redelivered"),
                Query(rate("stream_claimed_total"), "claimed"),
                Query(rate("events_duplicate_total"), "duplicate"),
                Query(rate("stream_deleted_while_pending_total"), "deleted while pending"),
            ],
        ),
    ],
)

_DELIVERY = Row(
    "Notifications: read, not yet delivered",
    [
        Panel(
            "Notification latency",
            "s",
            "The time from a task's change to its notification on the channel `console` (the log): the 50th, 95th and "
            "99th percentile. The dots link to traces.",
            "Over one second: check which of the ages above rose at the same time.",
            [
                Query(quantile(0.5, 'notification_delivery_seconds{channel="console"}'), "p50"),
                Query(quantile(0.95, 'notification_delivery_seconds{channel="console"}'), "p95"),
                Query(quantile(0.99, 'notification_delivery_seconds{channel="console"}'), "p99"),
            ],
            exemplars=True,
        ),
        Panel(
            "Deliveries by channel and outcome",
            "ops",
            "Delivery attempts per second by outcome: delivered, retried, gave_up.",
            "*retried* on one channel: it is unavailable or refuses the message. The log line `delivery failed` has "
            "the error.",
            [Query(rate("notifications_total", "channel, outcome"), "{{channel}} {{outcome}}")],
            stacked=True,
        ),
        Panel(
            "Unconfirmed completed events",
            "short",
            "Completed events that wait for confirmation by the task service. At 5,000, the consumer stops reading.",
            "It grows: the task service is unavailable or slow.",
            [Query("sum(settled_unconfirmed)", "events")],
        ),
        Panel(
            "Failed confirmations",
            "ops",
            "Failed ConfirmEvents calls per second. Failed calls are retried.",
            "The task service is unavailable or slow. See ConfirmEvents in *gRPC*, row *Clients*.",
            [Query(rate("confirmations_failed_total"), "failed")],
        ),
        Panel(
            "Outdated reminders",
            "ops",
            "Reminders per second that were skipped, because the task is done, deleted or due at another time.",
            "Outdated reminders are normal. If all reminders are outdated, they are sent too late.",
            [Query(rate("reminders_outdated_total"), "outdated")],
        ),
        Panel(
            "Notification latency by channel, p95",
            "s",
            "The time from a task's change to its notification, including the pauses between attempts.",
            "Only one channel is slow: its external service is slow. *Deliveries by channel and outcome* shows its "
            "attempts.",
            [Query(quantile(0.95, "notification_delivery_seconds", "channel"), "{{channel}}")],
            exemplars=True,
        ),
    ],
)

_DEAD = Row(
    "Dead letters: events that could not be processed",
    [
        Panel(
            "Stored dead letters",
            "short",
            "The number of dead letters that have not been replayed or discarded.",
            "Runbook, DeadLettersWait. `make dead-letters` lists them.",
            [Query("max(dead_letters)", "dead letters")],
            limits=[(1, "red")],
        ),
        Panel(
            "Added dead letters by reason",
            "ops",
            "Dead letters added per second, by reason.",
            "`gave_up`: a channel failed permanently. Any other reason: an invalid event; find the process that wrote "
            "it.",
            [
                Query(
                    rate("dead_lettered_total", "reason"),
                    "{{reason}}",
                    "no event has failed since the notification service started; `make drill N=3` causes a failure",
                )
            ],
        ),
        Panel(
            "Removed dead letters",
            "ops",
            "Dead letters per second that an operator replayed or discarded, or that were dropped as the oldest.",
            "*dropped* above zero: the list has reached its limit of 10,000. Replay or discard the dead letters.",
            [
                Query(rate("dead_letters_replayed_total"), "replayed"),
                Query(rate("dead_letters_discarded_total"), "discarded"),
                Query(rate("dead_letters_dropped_total"), "dropped"),
            ],
        ),
    ],
)

DASHBOARD = Dashboard(
    "taskmesh-queue",
    "Queue",
    "Events from the outbox through the stream to the notification, and dead letters.",
    [_OUTBOX, _STREAM, _DELIVERY, _DEAD],
)
