"""The edge's own metrics; labels hold route templates, so that made-up paths make no series."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from chassis import tracing

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class HttpMetrics:
    """http_requests_total, http_request_duration_seconds and http_requests_in_flight."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.in_flight = Gauge("http_requests_in_flight", "Requests being worked on.", registry=registry)
        self._requests = Counter(
            "http_requests_total", "Requests answered.", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "http_request_duration_seconds", "From a request to its answer.", ["method", "route"], registry=registry
        )

    def count(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """Counts one request that was answered; without `seconds` where its client decides how long it lasts."""
        known = method if method in _METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        if seconds is not None:
            self._seconds.labels(known, route).observe(seconds, tracing.exemplar())
