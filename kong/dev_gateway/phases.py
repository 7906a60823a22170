"""Kong's phases: rewrite, routing, access, and the response filters.

If a plugin raises Exit in access, the remaining plugins run only their filters. The filters run for every response: of
a plugin, of the gateway, or of a service.
"""

import time
from dataclasses import dataclass

from kong.configuration import BadConfiguration, Configuration, Route, Service
from kong.dev_gateway import plugins
from kong.dev_gateway.body import MAX_BYTES
from kong.dev_gateway.exchange import Exchange, Exit, Response, error
from kong.dev_gateway.plugins.base import Plugin, State
from kong.dev_gateway.sessions import ROW_DELAY_SECONDS, Clock
from kong.routing import BadPath, Router, escaped, normalised

_MAX_LINE_BYTES = 8 * 1024  # nginx's large_client_header_buffers


@dataclass
class Passage:
    """The state of one request: the exchange, its plugins, and its destination."""

    exchange: Exchange
    plugins: list[Plugin]
    service: Service | None = None
    target: str = ""
    """The path and query to send to the service."""

    def filtered(self, response: Response) -> Response:
        """Apply the filters to a response and return it. Body filters do not run on the streamed body of a service."""
        for name, value in self.exchange.pending.items():
            if name == "set-cookie":
                response.headers.append(name, value)
            else:
                response.headers[name] = value
        for plugin in self.plugins:
            plugin.header_filter(self.exchange, response)
        if response.source != "service":
            for plugin in self.plugins:
                plugin.body_filter(self.exchange, response)
        return response


class Phases:
    """Runs the phases of a configuration."""

    def __init__(
        self,
        configuration: Configuration,
        clock: Clock = time.time,
        row_delay_seconds: float = ROW_DELAY_SECONDS,
    ) -> None:
        """Raise BadConfiguration if the configuration uses an unsupported feature."""
        _refuse_unsupported(configuration)
        state = State(configuration.consumers, clock, row_delay_seconds)
        self._configuration = configuration
        self._router = Router(configuration.routes.values())
        self._instances = {id(entry): plugins.build(entry, state) for entry in configuration.plugins}

    def begin(self, exchange: Exchange) -> Passage:
        """Return the passage of a new request. Before routing, it has only the global plugins."""
        entries = filter(None, map(self._configuration.global_plugin, plugins.NAMES))
        return Passage(exchange, [self._instances[id(entry)] for entry in entries])

    async def admit(self, passage: Passage) -> Response | None:
        """Run the phases before the call to the service. Return a response if the service must not be called."""
        exchange = passage.exchange
        try:
            path = _accepted_path(exchange)
            for plugin in passage.plugins:
                await plugin.rewrite(exchange)
            route = self._route(exchange, path)
            passage.service = self._configuration.services[route.service]
            passage.target = escaped(path) + (f"?{exchange.query}" if exchange.query else "")
            return await self._access(passage, route)
        except Exit as exited:
            return exited.response

    def _route(self, exchange: Exchange, path: str) -> Route:
        host = exchange.headers.get("host", "")
        route = self._router.match(exchange.method, path, host, exchange.headers.items())
        if route is None:
            raise Exit(error(404, "no Route matched with those values"))
        if route.is_grpc:
            raise Exit(error(415, "Non-gRPC request matched gRPC route"))
        return route

    async def _access(self, passage: Passage, route: Route) -> Response | None:
        passage.plugins = []  # the lookup below also finds the global plugins
        response: Response | None = None
        for name in plugins.NAMES:
            consumer = passage.exchange.consumer
            # Look up each instance only now: it depends on the consumer, which an earlier plugin may have set.
            entry = self._configuration.plugin(name, route, consumer.username if consumer else None)
            if entry is None:
                continue
            plugin = self._instances[id(entry)]
            passage.plugins.append(plugin)
            if response is None:
                try:
                    await plugin.access(passage.exchange)
                except Exit as exited:
                    response = exited.response
        return response


def _accepted_path(exchange: Exchange) -> str:
    """Return the normalised path. Raise Exit if nginx would reject the request."""
    if exchange.method in ("TRACE", "CONNECT"):
        raise Exit(error(405, "Method not allowed"))
    if len(exchange.path) + len(exchange.query) > _MAX_LINE_BYTES:
        raise Exit(error(414, "URI too long"))
    too_long = any(len(name) + len(value) > _MAX_LINE_BYTES for name, value in exchange.headers.items())
    twice = any(len(exchange.headers.getlist(name)) > 1 for name in ("host", "authorization"))
    if too_long or twice or "host" not in exchange.headers:
        raise Exit(error(400, "Bad request"))
    if int(exchange.headers.get("content-length", "0")) > MAX_BYTES:
        raise Exit(error(413, "Payload too large"))
    try:
        return normalised(exchange.path)
    except BadPath:
        raise Exit(error(400, "Bad request")) from None


def _refuse_unsupported(configuration: Configuration) -> None:
    for service in configuration.services.values():
        if service.retries:
            msg = f"service {service.name}: retries other than 0 are not supported by the development gateway"
            raise BadConfiguration(msg)
    for route in configuration.routes.values():
        if route.strip_path and not route.is_grpc:
            msg = f"route {route.name}: strip_path is not supported by the development gateway"
            raise BadConfiguration(msg)
