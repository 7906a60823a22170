"""What a channel is: a way to tell a user something. `console` is the one that is always there."""

from typing import Protocol

from notify_svc.domain import Notification


class DeliveryFailed(Exception):
    """The channel did not take the notification; another attempt may do, not before the pause that it asks for."""

    def __init__(self, why: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(why)
        self.retry_after_seconds = retry_after_seconds


class Channel(Protocol):
    """Delivers notifications; it may be asked for the same one twice, and must bear being cancelled."""

    @property
    def name(self) -> str:
        """The name in metrics, keys and `deliveries`: lower case letters, digits, hyphens."""

    @property
    def concurrency(self) -> int:
        """How many deliveries it takes at the same time."""

    async def deliver(self, notification: Notification) -> None:
        """Returns once the notification is delivered. Raises DeliveryFailed."""
