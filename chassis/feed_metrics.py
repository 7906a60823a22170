"""The watchers of a process in numbers, by feed."""

import time
from collections.abc import Iterable
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_DELIVERY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Occurrence(Protocol):
    """Something that happened at a known time."""

    @property
    def occurred(self) -> float:
        """When, in seconds since 1970."""


class FeedMetrics:
    """The families of all feeds of one process; `of` gives those of one."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str) -> Counter:
            return Counter(name, text, ["feed"], registry=registry)

        self._watchers = Gauge("watchers", "Who is watching now.", ["feed"], registry=registry)
        self._sent = counter("watch_events_sent_total", "Events sent to watchers, once for each of them.")
        self._cut = counter("watchers_cut_total", "Watchers that were cut because they were too slow.")
        self._refused = counter("watchers_refused_total", "Watchers that were refused because there were too many.")
        self._resumes = counter("watch_resumes_total", "Watchers that went on where they had been.")
        self._resets = counter("watch_resets_total", "Watchers that were told that they may have missed something.")
        self._seconds = Histogram(
            "watch_delivery_seconds",
            "From a task's write to its delivery to a watcher.",
            ["feed"],
            buckets=_DELIVERY_BUCKETS,
            registry=registry,
        )

    def of(self, feed: str) -> "OneFeedMetrics":
        """The metrics of the feed with this name."""
        families = (
            self._watchers,
            self._sent,
            self._cut,
            self._refused,
            self._resumes,
            self._resets,
            self._seconds,
        )
        return OneFeedMetrics(*(family.labels(feed) for family in families))  # type: ignore[arg-type]


class OneFeedMetrics:
    """The metrics of one feed, their labels looked up once."""

    def __init__(
        self,
        watchers: Gauge,
        sent: Counter,
        cut: Counter,
        refused: Counter,
        resumes: Counter,
        resets: Counter,
        seconds: Histogram,
    ) -> None:
        self.watchers = watchers
        self.cut = cut
        self.refused = refused
        self.resumes = resumes
        self.resets = resets
        self._sent = sent
        self._seconds = seconds

    def delivered(self, items: Iterable[Occurrence]) -> None:
        """Counts events that have gone out to one watcher, and how long each of them took."""
        now = time.time()
        for item in items:
            self._sent.inc()
            self._seconds.observe(max(0.0, now - item.occurred))
