"""The channel that is always there: one line in the service's own log."""

import structlog

from notify_svc.domain import Notification

_log = structlog.get_logger("notification")


class Console:
    """Writes notifications to the log; the deliverer has bound the request's id and trace to the line."""

    name = "console"
    concurrency = 200

    async def deliver(self, notification: Notification) -> None:
        """Writes one line that a person can read."""
        _log.info(
            "notification",
            text=str(notification),
            user=notification.owner,
            task_id=notification.task_id,
            event_id=notification.id,
        )
