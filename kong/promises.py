"""What kong.yml promises, each promise a function that says where it is broken; scripts.kong_check asks them all.

They go by what Kong would do with the file, its precedence of routes and of plugins, and not by how it is written.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from kong.configuration import Configuration
from kong.routing import Route
from kong.targets import LOCAL_PORT

Headers = list[tuple[str, str]]
CALLERS: Mapping[str, Headers] = {
    "key": [("x-api-key", "some-key")],
    "login": [("authorization", "Basic c29tZTpib2R5")],
    "session": [("cookie", "sid=some-session")],
    "stranger": [],
}
"""The kinds of caller, by the headers that tell them apart."""
HEARTBEAT_MS = 15_000
MOST_BYTES = 256 * 1024
_EDGE = "http://edge-api:8080"
_API = ("request-size-limiting", "rate-limiting", "request-transformer")
_CREDENTIALS = {"cookie", "authorization", "proxy-authorization", "x-api-key", "x-mesh-token"}
_COOKIE = {
    "storage": "kong",
    "cookie_name": "sid",
    "cookie_path": "/",
    "cookie_secure": True,
    "cookie_http_only": True,
    "cookie_same_site": "Strict",
    "remember": False,
    "logout_methods": ["POST"],
    "logout_query_arg": "session_logout",
}
_UNITS = {"megabytes": 2**20, "kilobytes": 2**10, "bytes": 1}
_USERNAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True)
class Surroundings:
    """What the gateway stands before, and what it was rendered with."""

    operations: Iterable[tuple[str, str]]
    """Each method and path of the edge's documentation."""
    events_path: str
    """Where the edge sends events."""
    hidden_paths: Iterable[str]
    """What of the edge is for the inside alone."""
    hidden_services: Iterable[str]
    """The gRPC services that are for the inside alone."""
    public_services: Mapping[str, str]
    """The other gRPC services, and the target of each."""
    hosts: frozenset[str] | None
    """The services of docker-compose.yml, where there is one."""
    token: str
    """The mesh token that it was rendered with."""
    session_secret: str
    """The secret of sessions that it was rendered with."""


Promise = Callable[[Configuration, Surroundings], Iterator[str]]


def targets_exist(gateway: Configuration, around: Surroundings) -> Iterator[str]:
    """Every service leads to something that runs, in Compose and in development."""
    for name, service in gateway.services.items():
        target = urlsplit(service["url"]).netloc
        if target not in LOCAL_PORT:
            yield f"service {name}: kong/targets.py knows no {target}"
        if around.hosts is not None and target.rpartition(":")[0] not in around.hosts:
            yield f"service {name}: docker-compose.yml has no service for {target}"


def api_reaches_the_edge(gateway: Configuration, around: Surroundings) -> Iterator[str]:
    """Every operation of the edge is reached by every kind of caller, on one route and no other."""
    for method, path in around.operations:
        for caller in CALLERS:
            route = _route(gateway, method, path, caller)
            service = gateway.services[route.service] if route else {"url": "nothing"}
            if service["url"] != _EDGE:
                yield f"{method} {path} with {caller} reaches {service['url']}"
            elif route != _route(gateway, method, path, caller, backwards=True):
                yield f"{method} {path} with {caller} matches two routes alike"


def callers_are_told_apart(gateway: Configuration, around: Surroundings) -> Iterator[str]:
    """A key makes no session, a password is looked at where it is limited, and nobody else gets in."""
    for method, path, caller, route in _api_routes(gateway, around):
        where, plugins = f"{method} {path} with {caller}", gateway.effective(route)
        authenticating = {"session", "key-auth", "basic-auth"} & plugins.keys()
        wanted = {"key": {"key-auth"}, "login": {"session", "basic-auth"}}.get(caller, {"session", "key-auth"})
        if authenticating != wanted:
            yield f"{where}: is looked at by {sorted(authenticating)}"
        if any(plugins[name].get("anonymous") != "anonymous" for name in authenticating - {"session"}):
            yield f"{where}: who is not let in must be the consumer anonymous"
        if caller == "login" and plugins["rate-limiting"].get("limit_by") != "ip":
            yield f"{where}: guessing is not limited by address"
        if gateway.effective(route, "anonymous").get("request-termination", {}).get("status_code") != 401:
            yield f"{where}: a stranger is let through"


def strangers_are_limited(gateway: Configuration, around: Surroundings) -> Iterator[str]:
    """Who is not let in is limited by address, and no looser than a login where that is tried."""
    for method, path, caller, route in _api_routes(gateway, around):
        limits = gateway.effective(route, "anonymous").get("rate-limiting", {})
        if limits.get("limit_by") != "ip" or (
            caller == "login" and limits != gateway.effective(route)["rate-limiting"]
        ):
            yield f"{method} {path} with {caller}: strangers are not limited as they should be"


def api_is_protected(gateway: Configuration, around: Surroundings) -> Iterator[str]:
    """Sizes and rates are limited, what names or proves a caller is taken off, and the mesh's token is put on."""
    for method, path, caller, route in _api_routes(gateway, around):
        where, plugins = f"{method} {path} with {caller}", gateway.effective(route)
        missing = [name for name in _API if name not in plugins]
        if missing:
            yield f"{where}: lacks {', '.join(missing)}"
            continue
        size = plugins["request-size-limiting"]
        if size["allowed_payload_size"] * _UNITS[size.get("size_unit", "megabytes")] != MOST_BYTES:
            yield f"{where}: takes bodies of another size than the edge"
        yield from _token_is_put_on(where, plugins["request-transformer"], around.token)
        if _CREDENTIALS.difference(plugins["request-transformer"].get("remove", {}).get("headers", ())):
            yield f"{where}: credentials reach the edge"
        if gateway.route_entities[route.name].get("strip_path", True):
            yield f"{where}: the edge would see another path"


def events_are_protected_alike(gateway: Configuration, around: Surroundings) -> Iterator[str]:
    """Events differ from the rest of the API in time and buffering, and in nothing else."""
    for caller in ("key", "session", "stranger"):
        events = _route(gateway, "GET", around.events_path, caller)
        rest = _route(gateway, "POST", around.events_path, caller)
        if events is None or rest is None or events.service == rest.service:
            yield f"GET {around.events_path} with {caller}: has no service of its own"
            continue
        for consumer in (None, "anonymous"):
            if gateway.effective(events, consumer) != gateway.effective(rest, consumer):
                yield f"GET {around.events_path} with {caller}: is not protected as the rest of the API"
        if gateway.services[events.service].get("read_timeout", 60_000) < 2 * HEARTBEAT_MS:
            yield f"GET {around.events_path} with {caller}: is cut between two heartbeats"
        if gateway.route_entities[events.name].get("response_buffering", True):
            yield f"GET {around.events_path} with {caller}: events wait for a buffer"


def inside_stays_inside(gateway: Configuration, around: Surroundings) -> Iterator[str]:
    """Probes, metrics and the internal gRPC services are reached by nobody."""
    for path in around.hidden_paths:
        for method in ("GET", "HEAD", "POST"):
            for caller in CALLERS:
                route = _route(gateway, method, path, caller)
                if route is not None and gateway.services[route.service]["url"] == _EDGE:
                    yield f"{method} {path} with {caller} reaches the edge by {route.name}"
    for service in around.hidden_services:
        for host in _grpc_hosts(gateway):
            for caller in CALLERS:
                route = _grpc_route(gateway, f"/{service}/Method", host, caller)
                if route is not None:
                    yield f"{service} at {host} is reached by {route.name}"


def grpc_is_protected(gateway: Configuration, around: Surroundings) -> Iterator[str]:
    """The public gRPC services and reflection take a key, streams are neither held back nor cut, health is by host."""
    for service, target in around.public_services.items():
        host = "task.mesh.localhost" if target.startswith("task") else "notify.mesh.localhost"
        for path, secret in (
            (f"/{service}/Method", True),
            ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", True),
            ("/grpc.health.v1.Health/Check", False),
        ):
            route = _grpc_route(gateway, path, host, "key")
            if route is None or gateway.services[route.service]["url"] != f"grpc://{target}":
                yield f"{path} at {host} does not reach {target}"
                continue
            yield from _grpc_route_is_protected(gateway, route, around.token, secret=secret)
    if _grpc_route(gateway, "/grpc.health.v1.Health/Check", "localhost", "key") is not None:
        yield "health without a host: it is not said whose"


def _grpc_route_is_protected(gateway: Configuration, route: Route, token: str, *, secret: bool) -> Iterator[str]:
    where, plugins = f"route {route.name}", gateway.effective(route)
    if {"request-size-limiting", "session", "basic-auth"} & plugins.keys():
        yield f"{where}: has a plugin that is not for streams"
    if gateway.services[route.service].get("read_timeout", 60_000) < 2 * HEARTBEAT_MS:
        yield f"{where}: is cut between two heartbeats"
    if "rate-limiting" not in plugins:
        yield f"{where}: is not limited"
    transformer = plugins.get("request-transformer", {})
    if secret:
        if "anonymous" in plugins.get("key-auth", {"anonymous": "all"}):
            yield f"{where}: needs no key"
        yield from _token_is_put_on(where, transformer, token)
    elif transformer.get("add"):
        yield f"{where}: puts something on for strangers"
    if "x-mesh-token" not in transformer.get("remove", {}).get("headers", ()):
        yield f"{where}: a token that a client made up goes on"


def keys_stay_out_of_addresses(gateway: Configuration, _: Surroundings) -> Iterator[str]:
    """A key comes in the header x-api-key alone, and goes no further than the gateway."""
    for config in gateway.of("key-auth"):
        if config.get("key_names") != ["x-api-key"] or config.get("key_in_query", True) or config.get("key_in_body"):
            yield "key-auth: takes keys from elsewhere than the header x-api-key"
        if not config.get("hide_credentials"):
            yield "key-auth: passes keys on"


def cookie_is_safe(gateway: Configuration, around: Surroundings) -> Iterator[str]:
    """The cookie is out of reach of scripts, other sites and other hosts, and ends."""
    configs = list(gateway.of("session"))
    for config in configs:
        yield from (f"session: {name} must be {value}" for name, value in _COOKIE.items() if config.get(name) != value)
        if config.get("secret") != around.session_secret:
            yield "session: its secret is not the one from the secret file"
        if "cookie_domain" in config:
            yield "session: other hosts would get the cookie"
        idle, rolling, absolute = (config.get(f"{name}_timeout", 0) for name in ("idling", "rolling", "absolute"))
        if not 75 <= idle <= rolling <= absolute <= 86_400:
            yield "session: 75 s ≤ idling ≤ rolling ≤ absolute ≤ one day is not so"
        if config != configs[0]:
            yield "session: a cookie of one route would be worth nothing on another"


def users_are_sound(gateway: Configuration, _: Surroundings) -> Iterator[str]:
    """Names are such as the services take, and users and keys have ids of their own."""
    users = {name: user for name, user in gateway.consumers.items() if name != "anonymous"}
    entries = [*users.values(), *(key for user in users.values() for key in user.get("keyauth_credentials", ()))]
    ids = [entry.get("id") for entry in entries]
    if None in ids or len(set(ids)) != len(ids):
        yield "users: each user and each key needs an id of its own, or the next import fails"
    for name, user in users.items():
        if not _USERNAME.fullmatch(name):
            yield f"user {name}: the services take no such name"
        if [each.get("username") for each in user.get("basicauth_credentials", ())] not in ([], [name]):
            yield f"user {name}: signs in under another name"
    if any("_credentials" in field for field in gateway.consumers.get("anonymous", {})):
        yield "anonymous: has a credential"


PROMISES: tuple[Promise, ...] = (
    targets_exist,
    api_reaches_the_edge,
    callers_are_told_apart,
    strangers_are_limited,
    api_is_protected,
    events_are_protected_alike,
    inside_stays_inside,
    grpc_is_protected,
    keys_stay_out_of_addresses,
    cookie_is_safe,
    users_are_sound,
)


def _api_routes(gateway: Configuration, around: Surroundings) -> Iterator[tuple[str, str, str, Route]]:
    seen = set()
    for method, path in around.operations:
        for caller in CALLERS:
            route = _route(gateway, method, path, caller)
            if route is not None and (route.name, caller) not in seen:
                seen.add((route.name, caller))
                yield method, path, caller, route


def _route(gateway: Configuration, method: str, path: str, caller: str, *, backwards: bool = False) -> Route | None:
    return gateway.router(backwards=backwards).match(method, path, "localhost", CALLERS[caller])


def _grpc_route(gateway: Configuration, path: str, host: str, caller: str) -> Route | None:
    return gateway.router().match("POST", path, host, CALLERS[caller])


def _grpc_hosts(gateway: Configuration) -> Iterable[str]:
    return sorted({"localhost", *(host for route in gateway.routes.values() for host in route.hosts)})


def _token_is_put_on(where: str, transformer: Mapping[str, Mapping[str, list[str]]], token: str) -> Iterator[str]:
    added = transformer.get("add", {}).get("headers", [])
    if added != [f"X-Mesh-Token:{token}"]:
        yield f"{where}: the mesh's token is not what is put on"
    if "x-mesh-token" not in transformer.get("remove", {}).get("headers", ()):
        yield f"{where}: a client's token goes on in place of the mesh's"
