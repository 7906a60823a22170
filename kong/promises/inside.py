"""The promises about gRPC and about what is for the inside alone."""

from collections.abc import Iterable, Iterator

from kong.configuration import Configuration
from kong.promises.surroundings import CALLERS, EDGE, HEARTBEAT_MS, Surroundings, route_of, token_is_put_on
from kong.routing import Route


def inside_stays_inside(gateway: Configuration, around: Surroundings) -> Iterator[str]:
    """Probes, metrics and the internal gRPC services are reached by nobody."""
    for path in around.hidden_paths:
        for method in ("GET", "HEAD", "POST"):
            for caller in CALLERS:
                route = route_of(gateway, method, path, caller)
                if route is not None and gateway.services[route.service]["url"] == EDGE:
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
        yield from token_is_put_on(where, transformer, token)
    elif transformer.get("add"):
        yield f"{where}: puts something on for strangers"
    if "x-mesh-token" not in transformer.get("remove", {}).get("headers", ()):
        yield f"{where}: a token that a client made up goes on"


def _grpc_route(gateway: Configuration, path: str, host: str, caller: str) -> Route | None:
    return gateway.router().match("POST", path, host, CALLERS[caller])


def _grpc_hosts(gateway: Configuration) -> Iterable[str]:
    return sorted({"localhost", *(host for route in gateway.routes.values() for host in route.hosts)})
