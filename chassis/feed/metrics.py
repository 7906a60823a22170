"""The metrics of the feeds of a process and their watchers."""

import time
from collections.abc import Iterable
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_DELIVERY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Occurrence(Protocol):
    """An event with a known time."""

    @property
    def occurred(self) -> float:
        """The time in seconds since 1970."""


class FeedMetrics:
    """The metrics of all feeds of a process; `of` returns those of one feed."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str) -> Counter:
            return Counter(name, text, ["feed"], registry=registry)

        self.watchers = Gauge("watchers", "Clients watching now.", ["feed"], registry=registry)
        self.sent = counter("watch_events_sent_total", "Events sent, counted once per watcher.")
        self.cut = counter("watchers_cut_total", "Watchers disconnected because they were too slow.")
        self.refused = counter("watchers_refused_total", "Watchers refused because of the limit.")
        self.resumes = counter("watch_resumes_total", "Watchers that resumed without a gap.")
        self.resets = counter("watch_resets_total", "Watchers that had to reload everything.")
        self.seconds = Histogram(
            "watch_delivery_seconds",
            "Time from a task's write to its delivery to a watcher.",
            ["feed"],
            buckets=_DELIVERY_BUCKETS,
            registry=registry,
        )

    def of(self, feed: str) -> "OneFeedMetrics":
        """Return the metrics of the feed named `feed`."""
        return OneFeedMetrics(self, feed)


class OneFeedMetrics:
    """The metrics of one feed, with their labels resolved once."""

    def __init__(self, families: FeedMetrics, feed: str) -> None:
        self.watchers = families.watchers.labels(feed)
        self.cut = families.cut.labels(feed)
        self.refused = families.refused.labels(feed)
        self.resumes = families.resumes.labels(feed)
        self.resets = families.resets.labels(feed)
        self._sent = families.sent.labels(feed)
        self._seconds = families.seconds.labels(feed)

    def delivered(self, items: Iterable[Occurrence]) -> None:
        """Count events that were sent to one watcher, and observe the delay of each."""
        now = time.time()
        for item in items:
            self._sent.inc()
            self._seconds.observe(max(0.0, now - item.occurred))
