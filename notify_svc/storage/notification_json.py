"""The JSON in which Redis stores a notification."""

import json

from notify_svc.domain import Kind, Notification


def notification_to_json(notification: Notification) -> str:
    """The JSON that Redis stores; read marks and deliveries are separate fields of the same hash."""
    return json.dumps(
        {
            "id": notification.id,
            "kind": notification.kind.value,
            "owner": notification.owner,
            "task_id": notification.task_id,
            "title": notification.title,
            "create_time_ms": notification.create_time_ms,
            "due_time_ms": notification.due_time_ms,
            "request_id": notification.request_id,
            "traceparent": notification.traceparent,
        }
    )


def notification_from_json(text: bytes) -> Notification:
    """A notification as `notification_to_json` wrote it."""
    fields = json.loads(text)
    return Notification(**{**fields, "kind": Kind(fields["kind"])})
