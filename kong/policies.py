"""Rules for kong.yml that neither Kong nor the tests with the development gateway check.

Each rule yields one line per violation. The rules follow Kong's route and plugin precedence. scripts.kong_check applies
all of them.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from kong.configuration import Configuration, Route
from kong.routing import Router
from kong.targets import LOCAL_PORT
from kong.users_file import is_username

CALLERS: Mapping[str, list[tuple[str, str]]] = {
    "key": [("x-api-key", "some-key")],
    "login": [("authorization", "Basic c29tZTpib2R5")],
    "session": [("cookie", "sid=some-session")],
    "no credential": [],
}
"""The kinds of caller and the headers that identify them."""
_EDGE = "http://edge-api:8080"
_TWO_HEARTBEATS_MS = 30_000
_AUTHENTICATION = ("session", "key-auth", "basic-auth")
_READS_NO_BODY = {
    *_AUTHENTICATION,
    *("pre-function", "post-function", "correlation-id", "rate-limiting", "request-termination"),
    *("request-transformer", "response-transformer", "prometheus", "opentelemetry"),
}


@dataclass(frozen=True)
class PolicyContext:
    """The services behind the gateway, and the secrets that kong.yml was rendered with."""

    operations: Sequence[tuple[str, str]]
    """Each method and path of the REST API."""
    events_path: str
    hidden_paths: Sequence[str]
    """Paths of the edge for operators only, such as health and metrics."""
    hidden_services: Sequence[str]
    """The gRPC services that are internal to the mesh."""
    public_services: Mapping[str, str]
    """The public gRPC services with their addresses."""
    hosts: Collection[str]
    """The names of the services in docker-compose.yml."""
    token: str
    session_secret: str


Rule = Callable[[Configuration, PolicyContext], Iterator[str]]


def operations_reach_the_edge(gateway: Configuration, context: PolicyContext) -> Iterator[str]:
    """Each operation has exactly one route to the edge, with the authentication plugins that the credential needs."""
    backwards = Router(reversed(gateway.routes.values()))
    for method, path in context.operations:
        for caller, headers in CALLERS.items():
            where, route = f"{method} {path} with {caller}", _route(gateway, method, path, caller)
            if route is None or gateway.services[route.service].url != _EDGE:
                yield f"{where}: does not reach the edge"
                continue
            if route != backwards.match(method, path, "localhost", headers):
                yield f"{where}: matches two routes of equal precedence"
            wanted = {"key": {"key-auth"}, "login": {"session", "basic-auth"}}.get(caller, {"session", "key-auth"})
            if wanted != {name for name in _AUTHENTICATION if gateway.plugin(name, route)}:
                yield f"{where}: is not authenticated by {' and '.join(sorted(wanted))}"
            before = gateway.config("pre-function", route) or {}
            if caller == "login" and "counters:incr" not in "".join(before.get("access", ())):
                yield f"{where}: the login is not counted before the password is checked"


def no_plugin_reads_a_body(gateway: Configuration, _: PolicyContext) -> Iterator[str]:
    """No plugin reads a body: nginx could end the request between two plugins, and a buffered body takes memory."""
    for each in gateway.plugins:
        if each.name not in _READS_NO_BODY:
            yield f"plugin {each.name}: may read a body"
    for route in gateway.routes.values():
        if route.request_buffering and not route.is_grpc:
            yield f"route {route.name}: request_buffering must be false"


def streams_are_not_cut(gateway: Configuration, context: PolicyContext) -> Iterator[str]:
    """read_timeout is longer than two heartbeat intervals on streams, and events are not buffered."""
    events = [_route(gateway, "GET", context.events_path, caller) for caller in ("key", "session")]
    for route in gateway.routes.values():
        if (route in events or route.is_grpc) and gateway.services[route.service].read_timeout < _TWO_HEARTBEATS_MS:
            yield f"route {route.name}: read_timeout must be at least {_TWO_HEARTBEATS_MS} ms"
        if route in events and route.response_buffering:
            yield f"route {route.name}: response_buffering must be false"


def internals_have_no_route(gateway: Configuration, context: PolicyContext) -> Iterator[str]:
    """No caller can reach probes, metrics or internal gRPC services, whatever the host."""
    hosts = ["localhost", *(host for route in gateway.routes.values() for host in route.hosts)]
    for caller in CALLERS:
        for path in context.hidden_paths:
            found = _route(gateway, "GET", path, caller)
            if found and gateway.services[found.service].url == _EDGE:
                yield f"{path}: the route {found.name} leads to the edge"
        for path in ("/grpc.health.v1.Health/List", *(f"/{service}/Method" for service in context.hidden_services)):
            yield from (
                f"{path} at {host}: has a route" for host in hosts if _route(gateway, "POST", path, caller, host)
            )


def grpc_needs_a_key(gateway: Configuration, context: PolicyContext) -> Iterator[str]:
    """Public gRPC services and reflection require a key and get the mesh token; health checks get no token."""
    reflection, health = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "/grpc.health.v1.Health/Check"
    for service, address in context.public_services.items():
        host = f"{address.partition('-')[0]}.mesh.localhost"
        for path in (f"/{service}/Method", reflection, health):
            route = _route(gateway, "POST", path, "key", host)
            if route is None or not route.is_grpc or gateway.services[route.service].url != f"grpc://{address}":
                yield f"{path} at {host}: does not reach {address}"
                continue
            if "anonymous" in (gateway.config("key-auth", route) or {"anonymous": ""}) and path != health:
                yield f"{path} at {host}: requires no key"
            changes = gateway.config("request-transformer", route) or {}
            added = [] if path == health else [f"X-Mesh-Token:{context.token}"]
            if changes.get("add", {}).get("headers", []) != added or "x-mesh-token" not in changes["remove"]["headers"]:
                yield f"{path} at {host}: the client's token is not replaced"


def sessions_agree(gateway: Configuration, context: PolicyContext) -> Iterator[str]:
    """All session plugins share their settings, so a cookie is valid on every route.

    Only the route `logout`, which checks the origin, ends a session.
    """
    sessions = [each for each in gateway.plugins if each.name == "session"]
    for each in sessions:
        ours, first = ({**one.config, "logout_methods": [], "logout_query_arg": ""} for one in (each, sessions[0]))
        if ours != first:
            yield f"session of {each.route}: differs from the session of {sessions[0].route}"
        if each.config.get("secret") != context.session_secret:
            yield f"session of {each.route}: the secret does not come from the secret file"
        if each.config.get("logout_methods") != (["POST"] if each.route == "logout" else []):
            yield f"session of {each.route}: logout_methods must be [POST] on the route logout and [] elsewhere"


def services_have_addresses(gateway: Configuration, context: PolicyContext) -> Iterator[str]:
    """Every service has an address in Compose and in development."""
    for service in gateway.services.values():
        address = urlsplit(service.url)
        if address.netloc not in LOCAL_PORT or address.hostname not in context.hosts:
            yield f"service {service.name}: {address.netloc} is missing from kong/targets.py or docker-compose.yml"


def users_are_sound(gateway: Configuration, _: PolicyContext) -> Iterator[str]:
    """Users have a valid name, a matching sign-in name, and a fixed id, so that sessions survive an import."""
    for name, user in gateway.consumers.items():
        if name == "anonymous":
            if user.basicauth_credentials or user.keyauth_credentials:
                yield "anonymous: has a credential"
        elif not user.id or not is_username(name) or any(one.username != name for one in user.basicauth_credentials):
            yield f"user {name}: requires an id, a name of 1 to 64 of A-Za-z0-9._-, and the same name for signing in"


RULES: Sequence[Rule] = (
    operations_reach_the_edge,
    no_plugin_reads_a_body,
    streams_are_not_cut,
    internals_have_no_route,
    grpc_needs_a_key,
    sessions_agree,
    services_have_addresses,
    users_are_sound,
)


def _route(gateway: Configuration, method: str, path: str, caller: str, host: str = "localhost") -> Route | None:
    return Router(gateway.routes.values()).match(method, path, host, CALLERS[caller])
