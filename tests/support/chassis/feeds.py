"""Feeds for tests, filled by hand."""

from prometheus_client import CollectorRegistry

from chassis.feed.feed import Feed, FeedLimits
from chassis.feed.metrics import FeedMetrics
from chassis.feed.stream_id import StreamId
from chassis.feed.watcher import Item

START: StreamId = (1_000, 0)


def feed(limits: FeedLimits | None = None, registry: CollectorRegistry | None = None) -> Feed[str]:
    """A feed named `things` that has begun and is empty."""
    made = Feed[str](FeedMetrics(registry or CollectorRegistry()).of("things"), limits or FeedLimits())
    made.begin(START)
    return made


def item(number: int, owner: str = "ann", size: int = 100) -> Item[str]:
    """The item with this number, whose value is its number in letters."""
    return Item((1_000 + number, 0), owner, 0.0, size, str(number))


def fill(into: Feed[str], numbers: range, owner: str = "ann") -> None:
    """Appends the items with these numbers."""
    for number in numbers:
        into.append(item(number, owner))
