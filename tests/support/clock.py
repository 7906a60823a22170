"""A clock that tests control."""

from datetime import UTC, datetime, timedelta


class HandClock:
    """Returns a fixed time until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        """Move the time forward or back; the arguments are those of `timedelta`."""
        self.now += timedelta(**by)
