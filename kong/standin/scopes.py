"""Which instance of each plugin runs for a request: of several, the most particular one alone."""

from collections.abc import Iterator
from dataclasses import dataclass

from kong.standin.fields import Unknown
from kong.standin.plugins import KNOWN
from kong.standin.plugins.base import Plugin


@dataclass(frozen=True)
class Scope:
    """For what a plugin is configured; for everything where all are None."""

    service: str | None = None
    route: str | None = None
    consumer: str | None = None


_EVERYTHING = Scope()


class Scopes:
    """All plugins, by name and scope."""

    def __init__(self) -> None:
        self._plugins: dict[tuple[str, Scope], Plugin] = {}

    def add(self, name: str, scope: Scope, plugin: Plugin) -> None:
        """Raises Unknown where there is one of this name and scope already."""
        if (name, scope) in self._plugins:
            msg = f"plugin {name} is configured twice for {scope}"
            raise Unknown(msg)
        self._plugins[name, scope] = plugin

    def everywhere(self) -> list[Plugin]:
        """The plugins that are configured for everything, in the order in which they run."""
        return [plugin for name in KNOWN if (plugin := self._plugins.get((name, _EVERYTHING)))]

    def find(self, name: str, service: str, route: str, consumer: str | None) -> Plugin | None:
        """The instance that runs for a request of this consumer, who may be known only once others have run."""
        return next(
            (
                self._plugins[name, scope]
                for scope in _by_precedence(service, route, consumer)
                if (name, scope) in self._plugins
            ),
            None,
        )


def _by_precedence(service: str, route: str, consumer: str | None) -> Iterator[Scope]:
    if consumer is not None:
        yield Scope(service, route, consumer)
        yield Scope(None, route, consumer)
        yield Scope(service, None, consumer)
    yield Scope(service, route)
    if consumer is not None:
        yield Scope(consumer=consumer)
    yield Scope(route=route)
    yield Scope(service=service)
    yield _EVERYTHING
