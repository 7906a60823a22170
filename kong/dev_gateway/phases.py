"""Kong's phases: rewrite, routing, access plugin by plugin, and the filters of the answer.

A plugin that raises Exit skips the rest of access. The filters run for every answer, whatever its source.
"""

import time
from dataclasses import dataclass

from kong.configuration import BadConfiguration, Configuration, Route, Service
from kong.dev_gateway import plugins
from kong.dev_gateway.body import MOST_BYTES
from kong.dev_gateway.exchange import Answer, Exchange, Exit, error
from kong.dev_gateway.plugins.base import Plugin, State
from kong.dev_gateway.sessions import ROW_DELAY_SECONDS, Clock
from kong.routing import BadPath, Router, escaped, normalised

_LONGEST_LINE = 8 * 1024  # nginx's large_client_header_buffers


@dataclass
class Passage:
    """A request with the plugins that were chosen for it, and where it goes."""

    exchange: Exchange
    plugins: list[Plugin]
    service: Service | None = None
    target: str = ""
    """The path and query that the service gets."""

    def filtered(self, answer: Answer) -> Answer:
        """An answer with the headers that the client gets and, unless a service streams it, the body."""
        for name, value in self.exchange.pending.items():
            if name == "set-cookie":
                answer.headers.append(name, value)
            else:
                answer.headers[name] = value
        for plugin in self.plugins:
            plugin.header_filter(self.exchange, answer)
        if answer.source != "service":
            for plugin in self.plugins:
                plugin.body_filter(self.exchange, answer)
        return answer


class Phases:
    """What a configuration does with requests."""

    def __init__(
        self,
        configuration: Configuration,
        clock: Clock = time.time,
        row_delay_seconds: float = ROW_DELAY_SECONDS,
    ) -> None:
        """Raises BadConfiguration for what is not supported."""
        _refuse_unsupported(configuration)
        state = State(configuration.consumers, clock, row_delay_seconds)
        self._configuration = configuration
        self._router = Router(configuration.routes.values())
        self._built = {id(entry): plugins.build(entry, state) for entry in configuration.plugins}

    def begin(self, exchange: Exchange) -> Passage:
        """A request before routing, with the global plugins."""
        entries = filter(None, map(self._configuration.global_plugin, plugins.NAMES))
        return Passage(exchange, [self._built[id(entry)] for entry in entries])

    async def admit(self, passage: Passage) -> Answer | None:
        """Takes a request through all phases before its service; returns the answer if it does not get there."""
        exchange = passage.exchange
        try:
            path = _accepted_path(exchange)
            for plugin in passage.plugins:
                await plugin.rewrite(exchange)
            route = self._route(exchange, path)
            passage.service = self._configuration.services[route.service]
            passage.target = escaped(path) + (f"?{exchange.query}" if exchange.query else "")
            return await self._access(passage, route)
        except Exit as leaving:
            return leaving.answer

    def _route(self, exchange: Exchange, path: str) -> Route:
        host = exchange.headers.get("host", "")
        route = self._router.match(exchange.method, path, host, exchange.headers.items())
        if route is None:
            raise Exit(error(404, "no Route matched with those values"))
        if route.is_grpc:
            raise Exit(error(415, "Non-gRPC request matched gRPC route"))
        return route

    async def _access(self, passage: Passage, route: Route) -> Answer | None:
        passage.plugins = []
        answer: Answer | None = None
        for name in plugins.NAMES:
            consumer = passage.exchange.consumer
            # Looked up for each plugin, since an earlier plugin may have found the consumer.
            entry = self._configuration.plugin(name, route, consumer.username if consumer else None)
            if entry is None:
                continue
            plugin = self._built[id(entry)]
            passage.plugins.append(plugin)
            if answer is None:
                try:
                    await plugin.access(passage.exchange)
                except Exit as leaving:
                    answer = leaving.answer
        return answer


def _accepted_path(exchange: Exchange) -> str:
    """The normalised path of a request that nginx accepts. Raises Exit for the others."""
    if exchange.method in ("TRACE", "CONNECT"):
        raise Exit(error(405, "Method not allowed"))
    if len(exchange.path) + len(exchange.query) > _LONGEST_LINE:
        raise Exit(error(414, "URI too long"))
    too_long = any(len(name) + len(value) > _LONGEST_LINE for name, value in exchange.headers.items())
    twice = any(len(exchange.headers.getlist(name)) > 1 for name in ("host", "authorization"))
    if too_long or twice or "host" not in exchange.headers:
        raise Exit(error(400, "Bad request"))
    if int(exchange.headers.get("content-length", "0")) > MOST_BYTES:
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
