"""The channel `console`, which always exists: it writes one line to the service's log."""

import structlog

from notify_svc.domain import Notification

_log = structlog.get_logger("notification")


class Console:
    """Writes notifications to the log. The deliverer has bound the request id and trace id to the log's context."""

    name = "console"
    concurrency = 200

    async def deliver(self, notification: Notification) -> None:
        """Write one human-readable line."""
        _log.info(
            "notification",
            text=str(notification),
            user=notification.owner,
            task_id=notification.task_id,
            event_id=notification.id,
        )
