"""Reads kong.yml, as kong/render writes it, into what the gateway works with. What it does not know it refuses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import yaml

from kong.routing import Router, UnknownFeature, route_of
from kong.standin import plugins
from kong.standin.consumers import Consumers
from kong.standin.fields import Fields, Unknown
from kong.standin.plugins.base import Surroundings
from kong.standin.scopes import Scope, Scopes
from kong.standin.sessions import Clock

_PROTOCOLS = {"http", "https", "grpc", "grpcs"}


@dataclass(frozen=True)
class Service:
    """Where a service is, and how long it may take, in seconds."""

    name: str
    scheme: str
    """http, or grpc, to which the stand-in does not go."""
    host: str
    port: int
    connect_timeout: float
    write_timeout: float
    read_timeout: float


@dataclass(frozen=True)
class Configuration:
    """All that kong.yml says."""

    services: Mapping[str, Service]
    router: Router
    grpc_routes: frozenset[str]
    """The names of routes that take gRPC alone."""
    scopes: Scopes


def parse(text: str) -> Any:
    """What a file holds, before anything of it is understood. Raises Unknown when it is no YAML."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        msg = f"this is no YAML: {error}"
        raise Unknown(msg) from None


def read(document: Any, targets: Mapping[str, tuple[str, int]], clock: Clock) -> Configuration:
    """Understands a file; `targets` says by host:port where services are instead. Raises Unknown."""
    return _Reader(targets, clock).read(Fields(document, "kong.yml"))


class _Reader:
    def __init__(self, targets: Mapping[str, tuple[str, int]], clock: Clock) -> None:
        self._targets = targets
        self._clock = clock
        self._scopes = Scopes()
        self._services: dict[str, Service] = {}
        self._routes: dict[str, Any] = {}
        self._grpc: set[str] = set()

    def read(self, fields: Fields) -> Configuration:
        fields.only("_format_version", "3.0")
        fields.only("_transform", True, default=True)
        consumers = fields.entries("consumers")
        self._around = Surroundings(Consumers(consumers), self._clock)
        for entry in fields.entries("services"):
            self._add_service(Fields(entry, f"service {entry.get('name', '?')}"))
        for entry in fields.entries("plugins"):
            self._add_plugin(entry, Scope())
        for entry in consumers:
            for plugin in entry.get("plugins") or ():
                self._add_plugin(plugin, Scope(consumer=entry["username"]))
        fields.done()
        return Configuration(self._services, Router(self._routes.values()), frozenset(self._grpc), self._scopes)

    def _add_service(self, fields: Fields) -> None:
        name = fields.take("name", str, "")
        url = urlsplit(fields.take("url", str, ""))
        target = self._targets.get(url.netloc) or (url.hostname or "", url.port or 80)
        if url.scheme not in ("http", "grpc") or not target[0] or url.path not in ("", "/") or not name:
            msg = f"{fields.where}: it needs a name and a url like http://host:port or grpc://host:port"
            raise Unknown(msg)
        if name in self._services:
            msg = f"{fields.where}: there are two of this name"
            raise Unknown(msg)
        fields.only("retries", 0, default=5)
        self._services[name] = Service(
            name,
            url.scheme,
            *target,
            connect_timeout=fields.take("connect_timeout", int, 60_000) / 1000,
            write_timeout=fields.take("write_timeout", int, 60_000) / 1000,
            read_timeout=fields.take("read_timeout", int, 60_000) / 1000,
        )
        for entry in fields.entries("routes"):
            self._add_route(entry, Fields(entry, f"route {entry.get('name', '?')}"), name)
        for entry in fields.entries("plugins"):
            self._add_plugin(entry, Scope(service=name))
        fields.ignore("tags", "id")
        fields.done()

    def _add_route(self, entry: Mapping[str, Any], fields: Fields, service: str) -> None:
        name = fields.take("name", str, "")
        if not name or name in self._routes:
            msg = f"{fields.where}: it needs a name of its own"
            raise Unknown(msg)
        try:
            self._routes[name] = route_of(entry, service)
        except UnknownFeature as error:
            raise Unknown(str(error)) from None
        protocols = set(fields.texts("protocols", ("http", "https")))
        if protocols not in ({"http", "https"}, {"grpc", "grpcs"}, {"http"}, {"grpc"}):
            msg = f"{fields.where}: protocols must be http and https, or grpc and grpcs"
            raise Unknown(msg)
        if "grpc" in protocols:
            self._grpc.add(name)
            fields.ignore("strip_path")
        elif self._services[service].scheme != "http":
            msg = f"{fields.where}: it leads from http to grpc"
            raise Unknown(msg)
        else:
            fields.only("strip_path", False, default=True)
        fields.only("preserve_host", False, default=False)
        fields.only("path_handling", "v0", default="v0")
        fields.only("request_buffering", True, default=True)
        # Answers are never held back here, so both come to the same.
        fields.only("response_buffering", True, False, default=True)
        for plugin in fields.entries("plugins"):
            self._add_plugin(plugin, Scope(route=name))
        fields.ignore("paths", "methods", "hosts", "headers", "regex_priority", "tags", "id")
        fields.done()

    def _add_plugin(self, entry: Any, inside: Scope) -> None:
        name = entry.get("name", "?") if isinstance(entry, Mapping) else "?"
        fields = Fields(entry, f"plugin {name} of {inside.route or inside.service or inside.consumer or 'everything'}")
        fields.ignore("name", "id", "instance_name", "tags")
        scope = Scope(
            service=fields.take("service", str, "") or inside.service,
            route=fields.take("route", str, "") or inside.route,
            consumer=fields.take("consumer", str, "") or inside.consumer,
        )
        self._refuse_strangers(scope, fields.where)
        if not set(fields.texts("protocols")) <= _PROTOCOLS:
            msg = f"{fields.where}: these protocols are not known to the stand-in"
            raise Unknown(msg)
        is_enabled = fields.take("enabled", bool, True)
        plugin = plugins.build(name, fields.group("config"), self._around)
        fields.done()
        if is_enabled:
            self._scopes.add(name, scope, plugin)

    def _refuse_strangers(self, scope: Scope, where: str) -> None:
        if scope.consumer is not None:
            self._around.consumers.named(scope.consumer)
        for kind, name, known in (("service", scope.service, self._services), ("route", scope.route, self._routes)):
            if name is not None and name not in known:
                msg = f"{where}: there is no {kind} {name}"
                raise Unknown(msg)
