"""Reads kong.yml: its services, routes, plugins and consumers, and which instance of a plugin runs for a request.

Every tool that reads kong.yml reads it here. A field that is not declared here is refused, so nothing in the file is
silently without effect. Kong itself checks more, when kong/init has it parse the file.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError


class BadConfiguration(ValueError):
    """kong.yml is not valid, or asks for something that is not supported here; the message names every problem."""


def _plain_host(host: str) -> str:
    if "*" in host or ":" in host:
        msg = "hosts with * or a port are not supported"
        raise ValueError(msg)
    return host.lower()


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Plugin(_Entry):
    """An instance of a plugin, with what it is bound to."""

    name: str
    config: dict[str, Any] = {}
    service: str | None = None
    route: str | None = None
    consumer: str | None = None


class Route(_Entry):
    """Which requests go to a service."""

    name: str
    service: str = ""
    """Set from the service that the route belongs to."""
    paths: list[str] = []
    """Prefixes or, after `~`, regular expressions that are anchored at the start."""
    methods: list[str] = []
    hosts: list[Annotated[str, AfterValidator(_plain_host)]] = []
    headers: dict[str, list[str]] = {}
    """Values by header name, one of which the request must have; after `~*`, a regular expression."""
    protocols: list[Literal["http", "https", "grpc", "grpcs"]] = ["http", "https"]
    regex_priority: int = 0
    strip_path: bool = True
    request_buffering: bool = True
    response_buffering: bool = True
    plugins: list[Plugin] = []

    @property
    def is_grpc(self) -> bool:
        """Whether it accepts gRPC alone."""
        return "grpc" in self.protocols


class Service(_Entry):
    """Where requests go. Timeouts are in milliseconds."""

    name: str
    url: Annotated[str, Field(pattern=r"^(http|grpc)://[a-z0-9.-]+:\d+$")]
    connect_timeout: int = 60_000
    write_timeout: int = 60_000
    read_timeout: int = 60_000
    retries: int = 5
    routes: list[Route] = []
    plugins: list[Plugin] = []


class Password(_Entry):
    """What basic-auth accepts."""

    username: str
    password: str


class Key(_Entry):
    """What key-auth accepts."""

    id: str
    """Without it each import would make another, and the second import would fail."""
    key: str


class Consumer(_Entry):
    """A caller."""

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
        """Raises BadConfiguration."""
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
        """Every instance of a plugin, as if all stood at the top of the file."""
        problems = list(self._problems(parsed))
        if problems:
            raise BadConfiguration("\n".join(problems))
        self._by_scope = {_scope(each): each for each in self.plugins}

    def plugin(self, name: str, route: Route, consumer: str | None = None) -> Plugin | None:
        """The instance that runs for a request of this consumer: of several only the most specific one."""
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
        """The instance that is bound to nothing, which also runs where there is no route."""
        return self._by_scope.get((name, None, None, None))

    def config(self, name: str, route: Route, consumer: str | None = None) -> Mapping[str, Any] | None:
        """The configuration of the instance that runs, or None where none does."""
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
            yield from (f"{kind} {'…' if secret else name}: is there twice" for name in _repeated(names))
        for each in self.plugins:
            for kind, name, known in (
                ("service", each.service, self.services),
                ("route", each.route, self.routes),
                ("consumer", each.consumer, self.consumers),
                ("consumer", each.config.get("anonymous"), self.consumers),
            ):
                if name is not None and name not in known:
                    yield f"plugin {each.name}: there is no {kind} {name}"


def parse(text: str) -> dict[str, Any]:
    """The YAML of a file, not yet checked. Raises BadConfiguration."""
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
    """What is invalid, a line for each problem; without the values, some of which are secrets."""
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
