"""The channel that is always there: one line in the service's own log."""

import json

import structlog

from notify_svc.domain import Kind, Notification

_log = structlog.get_logger("notification")
_VERBS = {Kind.TASK_CREATED: "created", Kind.TASK_DUE: "due"}


class Console:
    """Writes notifications to the log; the deliverer has bound the request's id and trace to the line."""

    name = "console"
    concurrency = 200

    async def deliver(self, notification: Notification) -> None:
        """Writes one line that a person can read."""
        title = json.dumps(notification.title, ensure_ascii=False)
        _log.info(
            "notification",
            text=f"{notification.owner}: task {_VERBS[notification.kind]} {title} ({notification.task_id})",
            user=notification.owner,
            task_id=notification.task_id,
            event_id=notification.id,
        )
