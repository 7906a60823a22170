"""A configuration with its references followed: which route a request takes, where that leads, and what runs there."""

from collections.abc import Iterable, Mapping
from typing import Any

from kong.routing import Route, Router, route_of

Entity = Mapping[str, Any]
_SCOPES = ("service", "route", "consumer")


class Configuration:
    """What the file says, by name."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.services: dict[str, Entity] = {each["name"]: each for each in config["services"]}
        self.consumers: dict[str, Entity] = {each["username"]: each for each in config["consumers"]}
        self.route_entities: dict[str, Entity] = {}
        self.routes: dict[str, Route] = {}
        self.plugins: list[Entity] = list(config.get("plugins", ()))
        """Every instance of a plugin, as if all stood at the top of the file."""
        for service in config["services"]:
            self._add_plugins(service, service=service["name"])
            for route in service.get("routes", ()):
                self.route_entities[route["name"]] = route
                self.routes[route["name"]] = route_of(route, service["name"])
                self._add_plugins(route, route=route["name"])
        for consumer in config["consumers"]:
            self._add_plugins(consumer, consumer=consumer["username"])
        self._forwards, self._backwards = Router(self.routes.values()), Router(reversed(self.routes.values()))

    def _add_plugins(self, entity: Entity, **scope: str) -> None:
        self.plugins += [{**plugin, **scope} for plugin in entity.get("plugins", ())]

    def router(self, *, backwards: bool = False) -> Router:
        """All routes, in the order of the file or the other way round; gRPC ones among them, as Kong has them.

        Kong looks at a request's protocol only after it has chosen the route.
        """
        return self._backwards if backwards else self._forwards

    def effective(self, route: Route, consumer: str | None = None) -> dict[str, Entity]:
        """The configuration of each plugin that runs on a route, for a consumer or before there is one.

        Of several instances of a plugin the most particular runs, and no other.
        """
        here = {"service": route.service, "route": route.name, "consumer": consumer}
        fitting = [plugin for plugin in self.plugins if _fits(plugin, here)]
        fitting.sort(key=lambda plugin: [scope in plugin for scope in reversed(_SCOPES)])
        return {plugin["name"]: plugin.get("config", {}) for plugin in fitting}

    def of(self, plugin: str) -> Iterable[Entity]:
        """The configurations of all instances of a plugin."""
        return (each.get("config", {}) for each in self.plugins if each["name"] == plugin)


def _fits(plugin: Entity, here: Mapping[str, str | None]) -> bool:
    return all(plugin[scope] == here[scope] for scope in _SCOPES if scope in plugin)
