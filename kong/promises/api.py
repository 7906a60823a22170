"""The promises about REST and events: who gets through to the edge, and what happens to a request on its way."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from kong.configuration import Configuration
from kong.promises.surroundings import CALLERS, EDGE, HEARTBEAT_MS, Surroundings, route_of, token_is_put_on
from kong.routing import Route
from kong.targets import LOCAL_PORT

MOST_BYTES = 256 * 1024
_API = ("request-size-limiting", "rate-limiting", "request-transformer")
_CREDENTIALS = {"cookie", "authorization", "proxy-authorization", "x-api-key", "x-mesh-token"}
_UNITS = {"megabytes": 2**20, "kilobytes": 2**10, "bytes": 1}


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
            route = route_of(gateway, method, path, caller)
            service = gateway.services[route.service] if route else {"url": "nothing"}
            if service["url"] != EDGE:
                yield f"{method} {path} with {caller} reaches {service['url']}"
            elif route != route_of(gateway, method, path, caller, backwards=True):
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
        yield from token_is_put_on(where, plugins["request-transformer"], around.token)
        if _CREDENTIALS.difference(plugins["request-transformer"].get("remove", {}).get("headers", ())):
            yield f"{where}: credentials reach the edge"
        if gateway.route_entities[route.name].get("strip_path", True):
            yield f"{where}: the edge would see another path"


def events_are_protected_alike(gateway: Configuration, around: Surroundings) -> Iterator[str]:
    """Events differ from the rest of the API in time and buffering, and in nothing else."""
    for caller in ("key", "session", "stranger"):
        events = route_of(gateway, "GET", around.events_path, caller)
        rest = route_of(gateway, "POST", around.events_path, caller)
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


def _api_routes(gateway: Configuration, around: Surroundings) -> Iterator[tuple[str, str, str, Route]]:
    seen = set()
    for method, path in around.operations:
        for caller in CALLERS:
            route = route_of(gateway, method, path, caller)
            if route is not None and (route.name, caller) not in seen:
                seen.add((route.name, caller))
                yield method, path, caller, route
