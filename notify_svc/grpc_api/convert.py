"""Converts domain objects to messages of notify.v1."""

from google.protobuf.timestamp_pb2 import Timestamp
from notify.v1 import dead_letters_pb2, notify_pb2

from notify_svc.domain import Delivery, Kind, Notification, Outcome, StoredDeadLetter

_KINDS = {
    Kind.TASK_CREATED: notify_pb2.NOTIFICATION_KIND_TASK_CREATED,
    Kind.TASK_DUE: notify_pb2.NOTIFICATION_KIND_TASK_DUE,
}
_OUTCOMES = {
    Outcome.PENDING: notify_pb2.DELIVERY_OUTCOME_PENDING,
    Outcome.DELIVERED: notify_pb2.DELIVERY_OUTCOME_DELIVERED,
    Outcome.GAVE_UP: notify_pb2.DELIVERY_OUTCOME_GAVE_UP,
}


def notification_to_proto(notification: Notification) -> notify_pb2.Notification:
    """Return the message of a notification."""
    return notify_pb2.Notification(
        id=notification.id,
        kind=_KINDS[notification.kind],
        task_id=notification.task_id,
        title=notification.title,
        create_time=_timestamp(notification.create_time_ms),
        read_time=_timestamp(notification.read_time_ms),
        deliveries=[_delivery(delivery) for delivery in notification.deliveries],
    )


def dead_letter_to_proto(letter: StoredDeadLetter) -> dead_letters_pb2.DeadLetter:
    """Return the message of a dead letter."""
    return dead_letters_pb2.DeadLetter(
        key=letter.key,
        reason=letter.reason,
        detail=letter.detail,
        attempts=letter.attempts,
        time=_timestamp(letter.time_ms),
        event_id=letter.event_id,
        channel=letter.channel,
        event=letter.event,
    )


def _delivery(delivery: Delivery) -> notify_pb2.Delivery:
    return notify_pb2.Delivery(
        channel=delivery.channel,
        outcome=_OUTCOMES[delivery.outcome],
        attempts=delivery.attempts,
        time=_timestamp(delivery.time_ms),
    )


def _timestamp(milliseconds: int | None) -> Timestamp | None:
    if milliseconds is None:
        return None
    timestamp = Timestamp()
    timestamp.FromMilliseconds(milliseconds)
    return timestamp
