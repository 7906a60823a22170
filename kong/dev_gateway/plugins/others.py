"""correlation-id, request-termination, and the two plugins that do nothing here: prometheus and opentelemetry."""

import uuid
from http import HTTPStatus
from typing import Any, Literal

from kong.dev_gateway.exchange import Answer, Exchange, Exit, error
from kong.dev_gateway.plugins.base import Plugin


class CorrelationId(Plugin):
    """Keeps the client's id of a request, or makes one, and returns it in the answer."""

    priority = 100_001
    header_name: str
    generator: Literal["uuid"]
    echo_downstream: Literal[True]

    async def access(self, exchange: Exchange) -> None:
        """Makes an id where there is none."""
        if not exchange.headers.get(self.header_name):
            exchange.headers[self.header_name] = str(uuid.uuid4())

    def header_filter(self, exchange: Exchange, answer: Answer) -> None:
        """Returns the id; a request that ended before `access` gets one now."""
        answer.headers[self.header_name] = exchange.headers.get(self.header_name) or str(uuid.uuid4())


class RequestTermination(Plugin):
    """Answers every request itself."""

    priority = 2
    status_code: int = 503
    message: str | None = None

    async def access(self, exchange: Exchange) -> None:  # noqa: ARG002
        """Ends the request."""
        raise Exit(error(self.status_code, self.message or HTTPStatus(self.status_code).phrase, source="exit"))


class Prometheus(Plugin):
    """Counts nothing."""

    priority = 13
    status_code_metrics: bool = False
    latency_metrics: bool = False
    bandwidth_metrics: bool = False
    per_consumer: bool = False


class OpenTelemetry(Plugin):
    """Records no span, and passes a client's `traceparent` on unchanged."""

    priority = 14
    traces_endpoint: str
    resource_attributes: dict[str, Any]
