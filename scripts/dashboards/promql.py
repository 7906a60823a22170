"""The few shapes of PromQL that most panels have. Rates look back `$__rate_interval`: at least four scrapes."""

FAULTS = "UNKNOWN|DEADLINE_EXCEEDED|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS"
"""The codes that are the server's fault, not the caller's."""

NO_PROBES = 'route!~"/healthz|/readyz"'
"""Requests of people and programs, without those that only ask whether the edge works."""


def rate(selector: str, by: str = "") -> str:
    """How much a counter grows each second, summed over all labels but some."""
    return f"sum{_by(by)} (rate({selector}[$__rate_interval]))"


def share(part: str, whole: str, by: str = "") -> str:
    """Which share of one counter's growth another is: zero, and not nothing, where that other has never counted."""
    return f"({rate(part, by)} or 0 * {rate(whole, by)}) / {rate(whole, by)}"


def quantile(q: float, histogram: str, by: str = "") -> str:
    """Below which value a share of the observations is; `histogram` is a selector without `_bucket`."""
    name, brace, labels = histogram.partition("{")
    wanted = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, {rate(f'{name}_bucket{brace}{labels}', wanted)})"


def _by(labels: str) -> str:
    return f" by ({labels})" if labels else ""
