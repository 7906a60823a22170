"""Path normalisation and route precedence, as observed on a real Kong."""

from typing import Any

import pytest

from kong.configuration import Route
from kong.routing import BadPath, Router, escaped, normalised

KEY = {"x-api-key": ["~*.+"]}
LOGIN = {"authorization": ["~*.+"]}


def route(name: str, *paths: str, **more: Any) -> Route:
    return Route(name=name, service=name, paths=list(paths), **more)


API, WEB = route("api", "~/api(/|$)"), route("web", "/")


def service_at(path: str, *routes: Route, method: str = "GET", headers: dict[str, str] | None = None) -> str | None:
    found = Router(routes or (API, WEB)).match(method, normalised(path), "localhost:8000", (headers or {}).items())
    return found.name if found else None


@pytest.mark.parametrize(
    ("sent", "on"),
    [
        ("/api/..%2fx", "/api/..%2Fx"),
        ("/api/%252e%252e/x", "/api/%252e%252e/x"),
        ("/api/..\\x", "/api/..%5Cx"),
        ("/api/%7Eada/%c3%a9 ", "/api/~ada/%C3%A9%20"),
        ("/a//b/./c/../d/", "/a/b/d/"),
        ("/api/x/..", "/api/"),
    ],
)
def test_the_path_is_forwarded_normalised(sent: str, on: str) -> None:
    assert escaped(normalised(sent)) == on


@pytest.mark.parametrize("path", ["/api/%00", "/%zz", "/%", "/../api", "/x/..%2f../api", "api", "*"])
def test_malformed_paths_are_rejected(path: str) -> None:
    with pytest.raises(BadPath):
        normalised(path)


def test_a_key_a_password_and_a_cookie_have_routes_of_their_own() -> None:
    routes = (
        route("api-key", *API.paths, headers=KEY),
        route("login", *API.paths, headers=LOGIN, regex_priority=20),
        API,
        WEB,
    )
    assert service_at("/api/x", *routes, headers={"X-Api-Key": "k"}) == "api-key"
    assert service_at("/api/x", *routes, headers={"Authorization": "Basic eA=="}) == "login"
    assert service_at("/api/x", *routes, headers={"Authorization": "?", "x-api-key": "k"}) == "login"
    assert service_at("/api/x", *routes, headers={"Cookie": "sid=1"}) == "api"
    assert service_at("/api/x", *routes, headers={"X-Api-Key": ""}) == "api"


def test_the_route_with_more_attributes_wins_regardless_of_its_path() -> None:
    # With `methods`, the page's route would take every GET from an API route without methods.
    greedy = route("web", "/", methods=["GET"])
    assert service_at("/api/x", API, greedy) == "web"
    assert service_at("/api/x", API, greedy, method="POST") == "api"


def test_more_headers_win_then_a_regular_expression_then_the_longer_prefix() -> None:
    short, long = route("short", "/a"), route("long", "/api")
    both = route("both", "/a", headers=KEY | LOGIN)
    one = route("one", "~/a", headers=KEY, regex_priority=99)
    assert service_at("/api", short, long) == "long"
    assert service_at("/api", long, API) == "api"
    assert service_at("/api", API, route("first", "~/api", regex_priority=1)) == "first"
    assert service_at("/api", one, both, headers={"x-api-key": "k", "authorization": "b"}) == "both"


def test_a_host_matches_with_and_without_a_port() -> None:
    router = Router([route("task", "/", hosts=["task.mesh.localhost"]), WEB])
    names = [
        found.name
        for host in ("task.mesh.localhost", "Task.Mesh.localhost:9080", "localhost", "x.task.mesh.localhost")
        if (found := router.match("POST", "/x", host, ()))
    ]
    assert names == ["task", "task", "web", "web"]
