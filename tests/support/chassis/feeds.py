"""Feeds that tests fill."""

from prometheus_client import CollectorRegistry

from chassis.feed.feed import Feed, FeedLimits
from chassis.feed.metrics import FeedMetrics
from chassis.feed.stream_id import StreamId
from chassis.feed.watcher import Item

START: StreamId = (1_000, 0)


def feed(limits: FeedLimits | None = None, registry: CollectorRegistry | None = None) -> Feed[str]:
    """Return an empty feed named `things` that has begun."""
    made = Feed[str](FeedMetrics(registry or CollectorRegistry()).of("things"), limits or FeedLimits())
    made.begin(START)
    return made


def item(number: int, owner: str = "ann", size: int = 100) -> Item[str]:
    """Return the item with this number; its value is the number as a string."""
    return Item((1_000 + number, 0), owner, 0.0, size, str(number))


def fill(into: Feed[str], numbers: range, owner: str = "ann") -> None:
    """Append the items with these numbers."""
    for number in numbers:
        into.append(item(number, owner))
