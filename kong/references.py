"""Whether what a configuration refers to is there, and nothing is there twice; asked of one whose form is right."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Entity = Mapping[str, Any]
_SCOPES = {"service": "services", "route": "routes", "consumer": "consumers"}


def problems(config: Mapping[str, Any]) -> Iterator[str]:
    """What Kong would refuse, or import the first time and not the second, a line each."""
    names = {kind: [_name(kind, entity) for entity in _all(config, kind)] for kind in _SCOPES.values()}
    for kind, known in names.items():
        yield from (f"{kind}: the name {name} is there twice" for name, times in Counter(known).items() if times > 1)
        if "" in known:
            yield f"{kind}: one has no name, so each import would add another"
    plugins = list(_plugins(config))
    for where, plugin in plugins:
        for scope, kind in _SCOPES.items():
            if scope in plugin and plugin[scope] not in names[kind]:
                yield f"{where}.{scope}: there is no {plugin[scope]}"
        anonymous = plugin.get("config", {}).get("anonymous")
        if anonymous is not None and anonymous not in names["consumers"]:
            yield f"{where}.config.anonymous: there is no {anonymous}"
    for (plugin_name, *scopes), times in Counter(_place(plugin) for _, plugin in plugins).items():
        if times > 1:
            yield f"plugins: {plugin_name} is there twice for {' and '.join(filter(None, scopes)) or 'everything'}"


def _all(config: Mapping[str, Any], kind: str) -> Iterable[Entity]:
    entities: list[Entity] = [*config.get(kind, ())]
    if kind == "routes":
        entities += [route for service in config.get("services", ()) for route in service.get("routes", ())]
    return entities


def _name(kind: str, entity: Entity) -> str:
    return str(entity.get("username" if kind == "consumers" else "name", ""))


def _plugins(config: Mapping[str, Any]) -> Iterator[tuple[str, Entity]]:
    yield from ((f"plugins.{plugin['name']}", plugin) for plugin in config.get("plugins", ()))
    for scope, kind in _SCOPES.items():
        for entity in _all(config, kind):
            name = _name(kind, entity)
            for plugin in entity.get("plugins", ()):
                yield f"{kind}.{name}.plugins.{plugin['name']}", {**plugin, scope: name}


def _place(plugin: Entity) -> tuple[str, ...]:
    return (plugin["name"], *(f"{scope} {plugin[scope]}" if scope in plugin else "" for scope in _SCOPES))
