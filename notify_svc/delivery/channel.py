"""The port of a channel: a way to notify a user. The channel `console` always exists."""

from typing import Protocol

from notify_svc.domain import Notification


class DeliveryFailed(Exception):
    """The channel did not accept the notification. Try again, but not before `retry_after_seconds`."""

    def __init__(self, why: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(why)
        self.retry_after_seconds = retry_after_seconds


class Channel(Protocol):
    """Delivers notifications. `deliver` may be called twice for the same notification, and may be cancelled."""

    @property
    def name(self) -> str:
        """The name in metrics, Redis keys and `deliveries`: lower-case letters, digits and hyphens."""

    @property
    def concurrency(self) -> int:
        """The maximum number of concurrent deliveries."""

    async def deliver(self, notification: Notification) -> None:
        """Return when the notification is delivered. Raises DeliveryFailed."""
