"""Kong's routing, as tried on a real one: which path goes where, and which of several routes is taken."""

import pytest

from kong.routing import BadPath, Route, Router, UnknownFeature, escaped, normalised, route_of

EDGE = Route("api", "edge", paths=("~/api(/|$)",))
WEB = Route("web", "web", paths=("/",))
KEY = {"x-api-key": ("~*.+",)}
LOGIN = {"authorization": ("~*.+",)}


def service_at(path: str, *routes: Route, method: str = "GET", headers: dict[str, str] | None = None) -> str | None:
    route = Router(routes or (EDGE, WEB)).match(method, normalised(path), "localhost:8000", (headers or {}).items())
    return route.name if route else None


@pytest.mark.parametrize("path", ["/api", "//api", "/api/", "/%61pi", "//api/x", "/api//x", "/%61pi/x"])
def test_ways_to_write_the_api_reach_it(path: str) -> None:
    assert service_at(path) == "api"


@pytest.mark.parametrize("path", ["/x/../api/y", "/x/%2e%2e/api/y", "/./api/y", "/api/.", "/x/..//api"])
def test_dots_are_resolved_before_anything_is_matched(path: str) -> None:
    assert service_at(path) == "api"


@pytest.mark.parametrize("path", ["/api/..%2fx", "/api/%252e%252e/x", "/api/..\\x"])
def test_what_a_server_behind_might_decode_once_more_stays_on_the_route_that_protects(path: str) -> None:
    assert service_at(path) == "api"


@pytest.mark.parametrize(
    "path",
    ["/apix", "/api.json", "/api;a=1/x", "/api%2fx", "/api%20/x", "/api%5Cx", "/api/../x", "/api/%2e%2e/x", "/api/.."],
)
def test_what_only_looks_like_the_api_does_not_reach_it(path: str) -> None:
    assert service_at(path) == "web"


def test_paths_are_case_sensitive() -> None:
    assert service_at("/API") == "web"


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
def test_the_path_is_sent_on_normalised(sent: str, on: str) -> None:
    assert escaped(normalised(sent)) == on


@pytest.mark.parametrize("path", ["/api/%00", "/%zz", "/%", "/../api", "/x/..%2f../api", "api", "*"])
def test_paths_that_nobody_should_read_are_refused(path: str) -> None:
    with pytest.raises(BadPath):
        normalised(path)


def test_a_key_a_password_and_a_cookie_have_routes_of_their_own() -> None:
    routes = (
        Route("api-key", "edge", EDGE.paths, headers=KEY),
        Route("login", "edge", EDGE.paths, headers=LOGIN, regex_priority=20),
        EDGE,
        WEB,
    )
    assert service_at("/api/x", *routes, headers={"X-Api-Key": "k"}) == "api-key"
    assert service_at("/api/x", *routes, headers={"Authorization": "Basic eA=="}) == "login"
    assert service_at("/api/x", *routes, headers={"Authorization": "?", "x-api-key": "k"}) == "login"
    assert service_at("/api/x", *routes, headers={"Cookie": "sid=1"}) == "api"
    assert service_at("/api/x", *routes, headers={"X-Api-Key": ""}) == "api"


def test_the_route_that_asks_for_more_attributes_goes_first_whatever_its_path() -> None:
    # So `methods` on the page's route would take every GET from the API's.
    greedy = Route("web", "web", ("/",), methods=frozenset({"GET"}))
    assert service_at("/api/x", EDGE, greedy) == "web"
    assert service_at("/api/x", EDGE, greedy, method="POST") == "api"


def test_of_equals_the_more_headers_then_the_regular_expression_then_the_longer_prefix_wins() -> None:
    short, long = Route("short", "s", ("/a",)), Route("long", "s", ("/api",))
    both = Route("both", "s", ("/a",), headers=KEY | LOGIN)
    one = Route("one", "s", ("~/a",), headers=KEY, regex_priority=99)
    assert service_at("/api", short, long) == "long"
    assert service_at("/api", long, EDGE) == "api"
    assert service_at("/api", EDGE, Route("first", "s", ("~/api",), regex_priority=1)) == "first"
    assert service_at("/api", one, both, headers={"x-api-key": "k", "authorization": "b"}) == "both"


def test_a_host_matches_with_and_without_a_port() -> None:
    router = Router([Route("task", "t", ("/",), hosts=frozenset({"task.mesh.localhost"})), WEB])
    names = [
        route.name
        for host in ("task.mesh.localhost", "Task.Mesh.localhost:9080", "localhost", "x.task.mesh.localhost")
        if (route := router.match("POST", "/x", host, ()))
    ]
    assert names == ["task", "task", "web", "web"]


def test_headers_beyond_the_hundredth_are_not_seen() -> None:
    router = Router([Route("api-key", "edge", EDGE.paths, headers=KEY), EDGE])
    filler = [(f"x-{n}", "1") for n in range(100)]
    assert router.match("GET", "/api", "h", [*filler, ("x-api-key", "k")]) == EDGE
    assert router.match("GET", "/api", "h", [*filler[1:], ("x-api-key", "k")]) != EDGE


@pytest.mark.parametrize("feature", [{"snis": ["x"]}, {"hosts": ["*.x"]}, {"paths": []}, {"expression": "true"}])
def test_what_it_does_not_know_is_refused_by_name(feature: dict[str, object]) -> None:
    with pytest.raises(UnknownFeature, match="route r: "):
        route_of({"name": "r", **feature}, "s")
