"""correlation-id and request-termination; prometheus and opentelemetry, which have no effect here."""

import uuid
from http import HTTPStatus
from typing import Any, Literal

from kong.dev_gateway.exchange import Exchange, Exit, Response, error
from kong.dev_gateway.plugins.base import Plugin


class CorrelationId(Plugin):
    """Keeps the client's request id or generates one, and adds it to the response."""

    priority = 100_001
    header_name: str
    generator: Literal["uuid"]
    echo_downstream: Literal[True]

    async def access(self, exchange: Exchange) -> None:
        """Generate an id if the request has none."""
        if not exchange.headers.get(self.header_name):
            exchange.headers[self.header_name] = str(uuid.uuid4())

    def header_filter(self, exchange: Exchange, response: Response) -> None:
        """Add the id to the response. Generate one if the request ended before `access`."""
        response.headers[self.header_name] = exchange.headers.get(self.header_name) or str(uuid.uuid4())


class RequestTermination(Plugin):
    """Ends every request with a fixed error."""

    priority = 2
    status_code: int = 503
    message: str | None = None

    async def access(self, exchange: Exchange) -> None:  # noqa: ARG002
        """Raise Exit."""
        raise Exit(error(self.status_code, self.message or HTTPStatus(self.status_code).phrase, source="exit"))


class Prometheus(Plugin):
    """Accepts Kong's fields; has no effect."""

    priority = 13
    status_code_metrics: bool = False
    latency_metrics: bool = False
    bandwidth_metrics: bool = False
    per_consumer: bool = False


class OpenTelemetry(Plugin):
    """Accepts Kong's fields; records no span and forwards the client's `traceparent` unchanged."""

    priority = 14
    traces_endpoint: str
    resource_attributes: dict[str, Any]
