"""Queue: what is on its way from a task that was written to a notification that was delivered."""

from scripts.dashboards.grafana import Dashboard, Panel, Query, Row
from scripts.dashboards.promql import quantile, rate

_OUTBOX = Row(
    "Outbox: stored with the task, to be published",
    [
        Panel(
            "Age of the oldest event that was not published",
            "s",
            "How long the oldest event has waited to be put on the stream; zero when none waits.",
            "Runbook, OutboxOld: the queue is away or refuses. Tasks still work, and nothing is lost.",
            [Query("max(outbox_oldest_pending_seconds)", "age")],
            limits=[(60, "red")],
        ),
        Panel(
            "Events that wait",
            "short",
            "Stored and not published; published and not confirmed, that is not yet delivered by every channel.",
            "Unpublished grow: Redis. Unconfirmed grow: the notifier is away, slow, or a channel is.",
            [
                Query("max(outbox_pending)", "to be published"),
                Query("max(outbox_unconfirmed)", "to be confirmed"),
            ],
        ),
        Panel(
            "Published",
            "ops",
            "Events a second put on the stream; of them again, since the stream had lost them; left to the sweep.",
            "*Again* above zero: Redis came back empty. *Left to the sweep*: Redis was away or slow.",
            [
                Query(rate("outbox_published_total"), "published"),
                Query(rate("outbox_republished_total"), "again"),
                Query(rate("outbox_left_to_sweep_total"), "left to the sweep"),
            ],
        ),
    ],
)

_STREAM = Row(
    "Stream: published, to be read and settled",
    [
        Panel(
            "Lag and pending",
            "short",
            "Entries that no notifier has read; read and not acknowledged, since they are being delivered.",
            "Runbook, StreamLags. Pending that stay: a channel that is tried again, or a notifier that died just now.",
            [Query("max(stream_lag)", "lag"), Query("max(stream_pending)", "pending")],
            limits=[(100, "red")],
        ),
        Panel(
            "Age of the last read",
            "s",
            "How long ago any notifier has come round to reading the stream; an idle one does so each second.",
            "Runbook, NotifierStalled. It says so even where the process is up.",
            [Query("time() - max(max_over_time(stream_last_read_timestamp_seconds[1h]))", "age")],
            limits=[(60, "red")],
        ),
        Panel(
            "Read again",
            "ops",
            "Entries a second that were read again, taken over from a notifier that left them, or known already; and "
            "entries that vanished before they were settled.",
            "Some after a crash or an error are right, and harmless. Without end: a notifier dies at the same entry.",
            [
                Query(rate("events_redelivered_total"), "redelivered"),
                Query(rate("stream_claimed_total"), "taken over"),
                Query(rate("events_duplicate_total"), "known already"),
                Query(rate("stream_deleted_while_pending_total"), "vanished"),
            ],
        ),
    ],
)

_DELIVERY = Row(
    "Notifications: read, to be delivered",
    [
        Panel(
            "From a change to its notification",
            "s",
            "What half, 95 % and 99 % stay below, on the channel `console`, which is the log. The dots lead to traces.",
            "Higher than a second: see which of the ages above has risen with it.",
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
            "Attempts a second: delivered, to be tried again, given up.",
            "*retried* on one channel: it is away or refuses; the notifier's line `delivery failed` says why.",
            [Query(rate("notifications_total", "channel, outcome"), "{{channel}} {{outcome}}")],
            stacked=True,
        ),
        Panel(
            "Settled and to be confirmed",
            "short",
            "Events over with, of which the task service must still be told. At 5,000 the notifier stops reading.",
            "It grows: the task service is away or slow.",
            [Query("sum(settled_unconfirmed)", "events")],
        ),
        Panel(
            "Confirmations that failed",
            "ops",
            "Calls of ConfirmEvents a second that failed. They are made again.",
            "The task service is away or slow; look at *gRPC*, client's side, ConfirmEvents.",
            [Query(rate("confirmations_failed_total"), "failed")],
        ),
        Panel(
            "Reminders that were outdated",
            "ops",
            "Reminders a second that were dropped, as the task was done, deleted or moved meanwhile.",
            "Nothing is wrong with that; all of them outdated would mean that reminders are late.",
            [Query(rate("reminders_outdated_total"), "outdated")],
        ),
        Panel(
            "From a task to the notification, by channel, p95",
            "s",
            "What 95 % stay below on each channel, pauses between attempts included.",
            "One channel alone: whoever is behind it is slow. Its attempts are above.",
            [Query(quantile(0.95, "notification_delivery_seconds", "channel"), "{{channel}}")],
            exemplars=True,
        ),
    ],
)

_DEAD = Row(
    "Dead letters: what could not be handled",
    [
        Panel(
            "Waiting",
            "short",
            "How many dead letters wait for somebody to replay or discard them.",
            "Runbook, DeadLettersWait: `make dead-letters`.",
            [Query("max(dead_letters)", "dead letters")],
            limits=[(1, "red")],
        ),
        Panel(
            "Came, by reason",
            "ops",
            "What was put among the dead letters, by why.",
            "`gave_up` is a channel's end of patience; anything else is a broken event: who wrote it?",
            [
                Query(
                    rate("dead_lettered_total", "reason"),
                    "{{reason}}",
                    "no event has failed since the notifier's start: `make drill N=3` makes one",
                )
            ],
        ),
        Panel(
            "Went",
            "ops",
            "What operators have replayed and discarded, and what was dropped as the oldest of too many.",
            "Dropped above zero: 10,000 wait, and nobody looks.",
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
    "The way of an event from the outbox over the stream to its notification, and what fell off it.",
    [_OUTBOX, _STREAM, _DELIVERY, _DEAD],
)
