"""The PromQL expressions that most panels use. Rates use the window `$__rate_interval`: at least four scrapes."""

FAULTS = "UNKNOWN|DEADLINE_EXCEEDED|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS"
"""The gRPC status codes for errors of the server, not of the caller."""

NO_PROBES = 'route!~"/healthz|/readyz"'
"""Selects all requests except health probes."""


def rate(selector: str, by: str = "") -> str:
    """Return the per-second rate of a counter, summed over all labels except those in `by`."""
    return f"sum{_by(by)} (rate({selector}[$__rate_interval]))"


def share(part: str, whole: str, by: str = "") -> str:
    """Return the ratio of two counters' rates: 0, instead of no data, if `part` has no series yet."""
    return f"({rate(part, by)} or 0 * {rate(whole, by)}) / {rate(whole, by)}"


def quantile(q: float, histogram: str, by: str = "") -> str:
    """Return the `q` quantile of a histogram, given as a selector without `_bucket`."""
    name, brace, labels = histogram.partition("{")
    wanted = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, {rate(f'{name}_bucket{brace}{labels}', wanted)})"


def _by(labels: str) -> str:
    return f" by ({labels})" if labels else ""
