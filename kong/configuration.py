"""Reads kong.yml: its services, routes, plugins and consumers, and which instance of a plugin runs for a request.

Every tool reads kong.yml through this module. It rejects undeclared fields, so no field is silently ignored. Kong
validates more when kong/init runs `kong config parse`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError


class BadConfiguration(ValueError):
    """kong.yml is invalid or uses an unsupported feature. The message has one line per problem."""


def _plain_host(host: str) -> str:
    if "*" in host or ":" in host:
        msg = "hosts with * or a port are not supported"
        raise ValueError(msg)
    return host.lower()


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Plugin(_Entry):
    """A plugin instance and its scope: service, route, consumer, or global if all three are None."""

    name: str
    config: dict[str, Any] = {}
    service: str | None = None
    route: str | None = None
    consumer: str | None = None


class Route(_Entry):
    """Conditions that select the requests for a service."""

    name: str
    service: str = ""
    """Set from the enclosing service."""
    paths: list[str] = []
    """Prefixes or, after `~`, regular expressions anchored at the start."""
    methods: list[str] = []
    hosts: list[Annotated[str, AfterValidator(_plain_host)]] = []
    headers: dict[str, list[str]] = {}
    """Accepted values by header name. A value that starts with `~*` is a regular expression."""
    protocols: list[Literal["http", "https", "grpc", "grpcs"]] = ["http", "https"]
    regex_priority: int = 0
    strip_path: bool = True
    request_buffering: bool = True
    response_buffering: bool = True
    plugins: list[Plugin] = []

    @property
    def is_grpc(self) -> bool:
        """Whether the route accepts only gRPC."""
        return "grpc" in self.protocols


class Service(_Entry):
    """An upstream service. Timeouts are in milliseconds."""

    name: str
    url: Annotated[str, Field(pattern=r"^(http|grpc)://[a-z0-9.-]+:\d+$")]
    connect_timeout: int = 60_000
    write_timeout: int = 60_000
    read_timeout: int = 60_000
    retries: int = 5
    routes: list[Route] = []
    plugins: list[Plugin] = []


class Password(_Entry):
    """A credential for basic-auth."""

    username: str
    password: str


class Key(_Entry):
    """A credential for key-auth."""

    id: str
    """Required: without a fixed id, each import generates a new one and the second import fails."""
    key: str


class Consumer(_Entry):
    """A caller: a user, or `anonymous`."""

    username: str
    id: str = ""
    basicauth_credentials: list[Password] = []
    keyauth_credentials: list[Key] = []
    plugins: list[Plugin] = []


class _Document(_Entry):
    format_version: Literal["3.0"] = Field(alias="_format_version")
    transform: Literal[True] = Field(alias="_transform")
    services: list[Service] = []
    plugins: list[Plugin] = []
    consumers: list[Consumer] = []


class Configuration:
    """A valid kong.yml with its references resolved."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Raise BadConfiguration if the document is invalid."""
        try:
            parsed = _Document.model_validate(document)
        except ValidationError as error:
            raise BadConfiguration(messages(error)) from None
        self.services = {each.name: each for each in parsed.services}
        self.routes = {
            route.name: route.model_copy(update={"service": service.name})
            for service in parsed.services
            for route in service.routes
        }
        self.consumers = {each.username: each for each in parsed.consumers}
        self.plugins = list(_plugins(parsed))
        """All plugin instances, each with its scope filled in."""
        problems = list(self._problems(parsed))
        if problems:
            raise BadConfiguration("\n".join(problems))
        self._by_scope = {_scope(each): each for each in self.plugins}

    def plugin(self, name: str, route: Route, consumer: str | None = None) -> Plugin | None:
        """Return the most specific instance of a plugin for a route and a consumer, or None."""
        scopes = (
            *(
                ((route.service, route.name, consumer), (None, route.name, consumer), (route.service, None, consumer))
                if consumer
                else ()
            ),
            (route.service, route.name, None),
            *(((None, None, consumer),) if consumer else ()),
            (None, route.name, None),
            (route.service, None, None),
            (None, None, None),
        )
        return next((found for scope in scopes if (found := self._by_scope.get((name, *scope)))), None)

    def global_plugin(self, name: str) -> Plugin | None:
        """Return the global instance of a plugin, which also runs for requests without a route, or None."""
        return self._by_scope.get((name, None, None, None))

    def config(self, name: str, route: Route, consumer: str | None = None) -> Mapping[str, Any] | None:
        """Return the configuration of the instance that `plugin` selects, or None."""
        found = self.plugin(name, route, consumer)
        return found.config if found else None

    def _problems(self, parsed: _Document) -> Iterator[str]:
        routes = [route.name for service in parsed.services for route in service.routes]
        keys = [key for each in parsed.consumers for key in each.keyauth_credentials]
        for kind, names in (
            ("service", [each.name for each in parsed.services]),
            ("route", routes),
            ("consumer", [each.username for each in parsed.consumers]),
            ("id", [*filter(None, (each.id for each in parsed.consumers)), *(key.id for key in keys)]),
            ("key", [key.key for key in keys]),
            ("username", [one.username for each in parsed.consumers for one in each.basicauth_credentials]),
            ("plugin", [" ".join(filter(None, _scope(each))) for each in self.plugins]),
        ):
            secret = kind == "key"
            yield from (f"{kind} {'…' if secret else name}: is defined more than once" for name in _repeated(names))
        for each in self.plugins:
            for kind, name, known in (
                ("service", each.service, self.services),
                ("route", each.route, self.routes),
                ("consumer", each.consumer, self.consumers),
                ("consumer", each.config.get("anonymous"), self.consumers),
            ):
                if name is not None and name not in known:
                    yield f"plugin {each.name}: the {kind} {name} does not exist"


def parse(text: str) -> dict[str, Any]:
    """Parse the text of a file without validating it. Raise BadConfiguration if it is not a YAML mapping."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        msg = f"not valid YAML: {error}"
        raise BadConfiguration(msg) from None
    if not isinstance(document, dict):
        msg = "not a YAML mapping"
        raise BadConfiguration(msg)
    return document


def messages(error: ValidationError, where: str = "") -> str:
    """Return one line per problem. Values are left out, because some are secrets."""
    return "\n".join(f"{where}{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())


def _plugins(parsed: _Document) -> Iterator[Plugin]:
    yield from parsed.plugins
    for service in parsed.services:
        yield from (each.model_copy(update={"service": service.name}) for each in service.plugins)
        for route in service.routes:
            yield from (each.model_copy(update={"route": route.name}) for each in route.plugins)
    for consumer in parsed.consumers:
        yield from (each.model_copy(update={"consumer": consumer.username}) for each in consumer.plugins)


def _scope(plugin: Plugin) -> tuple[str, str | None, str | None, str | None]:
    return plugin.name, plugin.service, plugin.route, plugin.consumer


def _repeated(names: Iterable[str]) -> Iterator[str]:
    return (name for name, times in Counter(names).items() if times > 1)
