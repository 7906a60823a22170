"""prometheus and opentelemetry: what watches Kong has nothing to watch here. The start says so."""

from typing import ClassVar

import structlog

from kong.standin.fields import Fields
from kong.standin.plugins.base import Plugin, Surroundings

_log = structlog.get_logger("gateway")


class _Unseen(Plugin):
    name: ClassVar[str]
    known: ClassVar[tuple[str, ...]]

    def __init__(self, fields: Fields, _around: Surroundings) -> None:
        fields.ignore(*self.known)
        _log.info("a plugin that does nothing in the stand-in", plugin=self.name)


class Prometheus(_Unseen):
    """Counts nothing."""

    name = "prometheus"
    priority = 13
    known = ("status_code_metrics", "latency_metrics", "bandwidth_metrics", "upstream_health_metrics", "per_consumer")


class OpenTelemetry(_Unseen):
    """Records no span, and passes a client's `traceparent` on as it is."""

    name = "opentelemetry"
    priority = 14
    known = ("traces_endpoint", "resource_attributes", "sampling_rate", "sampling_strategy", "propagation", "queue")
