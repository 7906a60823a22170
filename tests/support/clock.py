"""A clock that tests set by hand."""

from datetime import UTC, datetime, timedelta


class HandClock:
    """Tells the time it was given until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        """Moves the time on, or back, by what `timedelta` takes."""
        self.now += timedelta(**by)
