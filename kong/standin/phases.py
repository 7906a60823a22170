"""Takes a request through Kong's phases: rewrite, routing, access plugin by plugin, and header_filter for its answer.

A plugin that answers itself (`Exit`) skips the rest of access; header_filter runs for every answer, whoever made it.
"""

from dataclasses import dataclass

from kong.routing import BadPath, Route, escaped, normalised
from kong.standin.configuration import Configuration, Service
from kong.standin.exchange import Answer, Exchange, Exit
from kong.standin.plugins import KNOWN
from kong.standin.plugins.base import Plugin


@dataclass
class Passage:
    """A request with what became of it: the plugins that were chosen for it, and where it goes."""

    exchange: Exchange
    plugins: list[Plugin]
    service: Service | None = None
    target: str = ""
    """The path and query that the service gets."""

    def filtered(self, answer: Answer) -> Answer:
        """An answer as the client gets it."""
        for name, value in self.exchange.told:
            if name.lower() == "set-cookie":
                answer.headers.add(name, value)
            else:
                answer.headers.set(name, value)
        for plugin in self.plugins:
            plugin.header_filter(self.exchange, answer)
        return answer


class Phases:
    """What a configuration does with requests."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    def begin(self, exchange: Exchange) -> Passage:
        """A request before anything was done with it; until it has a route, the plugins for everything are its."""
        return Passage(exchange, self._configuration.scopes.everywhere())

    async def admit(self, passage: Passage) -> Answer | None:
        """Takes a request through all phases before its service; gives the answer where that is not the service's."""
        exchange = passage.exchange
        try:
            path = _checked_path(exchange)
            for plugin in passage.plugins:
                await plugin.rewrite(exchange)
            route = self._route(exchange, path)
            passage.service = self._configuration.services[route.service]
            passage.target = escaped(path) + (f"?{exchange.query}" if exchange.query else "")
            return await self._access(passage, route)
        except Exit as leaving:
            return leaving.answer

    def _route(self, exchange: Exchange, path: str) -> Route:
        host = exchange.headers.get("host")
        route = self._configuration.router.match(exchange.method, path, host, exchange.headers)
        if route is None:
            raise Exit(exchange.error(404, "no Route matched with those values"))
        if route.name in self._configuration.grpc_routes:
            if exchange.headers.get("content-type").startswith("application/grpc"):
                raise Exit(exchange.error(426, "Please use HTTP2 protocol"))
            raise Exit(exchange.error(415, "Non-gRPC request matched gRPC route"))
        return route

    async def _access(self, passage: Passage, route: Route) -> Answer | None:
        passage.plugins = []
        answer: Answer | None = None
        for name in KNOWN:
            consumer = passage.exchange.consumer
            # Asked for each plugin anew, for the plugins before it may have found out who calls.
            plugin = self._configuration.scopes.find(
                name, route.service, route.name, consumer.username if consumer else None
            )
            if plugin is None:
                continue
            passage.plugins.append(plugin)
            if answer is None:
                try:
                    await plugin.access(passage.exchange)
                except Exit as leaving:
                    answer = leaving.answer
        return answer


def _checked_path(exchange: Exchange) -> str:
    # What nginx itself refuses before Kong has a look.
    if exchange.method in ("TRACE", "CONNECT"):
        raise Exit(exchange.error(405, "Method not allowed"))
    if len(exchange.headers.all("host")) != 1:
        raise Exit(exchange.error(400, "Bad request"))
    try:
        return normalised(exchange.path)
    except BadPath:
        raise Exit(exchange.error(400, "Bad request")) from None
