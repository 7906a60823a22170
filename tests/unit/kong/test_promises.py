"""Each promise of kong.yml can be broken, and is then missed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kong import promises, references, rendered, schema
from kong.configuration import Configuration
from scripts.kong_check import problems, surroundings

Config = dict[str, Any]
BY_NAME = {promise.__name__: promise for promise in promises.PROMISES}
TOKEN, SESSION_SECRET = "t" * 40, "s" * 40


@pytest.fixture(scope="module")
def around() -> promises.Surroundings:
    return surroundings(TOKEN, SESSION_SECRET)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    secrets = tmp_path_factory.mktemp("secrets")
    (secrets / "mesh-token").write_text(f"{TOKEN}\n")
    (secrets / "kong-session-secret").write_text(f"{SESSION_SECRET}\n")
    return json.dumps(rendered.read(secrets, "development"))


@pytest.fixture
def config(text: str) -> Config:
    copy: Config = json.loads(text)  # what shares an anchor in the file is apart here
    return copy


def service(config: Config, name: str) -> Config:
    return next(each for each in config["services"] if each["name"] == name)


def route(config: Config, name: str) -> Config:
    return next(each for one in config["services"] for each in one["routes"] if each["name"] == name)


def plugin(entity: Config, name: str) -> Config:
    found: Config = next(each for each in entity["plugins"] if each["name"] == name)
    return found


def drop(entity: Config, name: str) -> None:
    entity["plugins"].remove(plugin(entity, name))


def user(config: Config, name: str) -> Config:
    return next(each for each in config["consumers"] if each["username"] == name)


def swap_session(config: Config, **changes: Any) -> None:
    for name in ("login", "api-session", "events-session"):
        plugin(route(config, name), "session")["config"] |= changes


BREAKS: list[tuple[str, Callable[[Config], Any]]] = [
    ("targets_exist", lambda c: service(c, "web").update(url="http://nowhere:80")),
    ("api_reaches_the_edge", lambda c: route(c, "api-session").update(paths=["~/api/v2(/|$)"])),
    ("api_reaches_the_edge", lambda c: route(c, "api-session").pop("methods")),  # then / asks for more, and wins
    (
        "api_reaches_the_edge",
        lambda c: (
            route(c, "events-key").update(regex_priority=0, methods=["GET", "HEAD"])
            or route(c, "events-key").update(paths=["~/api(/|$)"])
        ),
    ),
    ("callers_are_told_apart", lambda c: drop(route(c, "login"), "basic-auth")),
    ("callers_are_told_apart", lambda c: route(c, "login").update(regex_priority=0, methods=["TRACE"])),
    ("callers_are_told_apart", lambda c: drop(user(c, "anonymous"), "request-termination")),
    (
        "callers_are_told_apart",
        lambda c: plugin(route(c, "login"), "rate-limiting")["config"].update(limit_by="consumer"),
    ),
    ("callers_are_told_apart", lambda c: route(c, "api-key")["plugins"].append(plugin(route(c, "login"), "session"))),
    ("callers_are_told_apart", lambda c: plugin(route(c, "api-session"), "key-auth")["config"].pop("anonymous")),
    ("strangers_are_limited", lambda c: c["plugins"].pop(0)),
    ("strangers_are_limited", lambda c: c["plugins"][0].pop("route")),  # for the consumer alone: before route login's
    ("api_is_protected", lambda c: drop(service(c, "api"), "request-size-limiting")),
    (
        "api_is_protected",
        lambda c: plugin(service(c, "api"), "request-size-limiting")["config"].update(allowed_payload_size=1024),
    ),
    (
        "api_is_protected",
        lambda c: plugin(service(c, "api"), "request-transformer")["config"]["remove"]["headers"].remove("cookie"),
    ),
    ("api_is_protected", lambda c: plugin(service(c, "api"), "request-transformer")["config"].pop("add")),
    (
        "api_is_protected",
        lambda c: plugin(service(c, "api"), "request-transformer")["config"]["add"].update(
            headers=["X-Mesh-Token:in-the-file"]
        ),
    ),
    ("api_is_protected", lambda c: route(c, "login").pop("strip_path")),
    ("events_are_protected_alike", lambda c: drop(service(c, "api-events"), "rate-limiting")),
    ("events_are_protected_alike", lambda c: c["plugins"].pop(3)),
    ("events_are_protected_alike", lambda c: service(c, "api-events").update(read_timeout=15_000)),
    ("events_are_protected_alike", lambda c: route(c, "events-key").pop("response_buffering")),
    ("events_are_protected_alike", lambda c: route(c, "events-session").update(regex_priority=-1)),
    ("inside_stays_inside", lambda c: route(c, "api-session").update(paths=["~/(api|healthz)(/|$)"])),
    ("inside_stays_inside", lambda c: route(c, "task-grpc").update(paths=["/task.v1."])),
    ("inside_stays_inside", lambda c: route(c, "web").pop("methods")),
    ("grpc_is_protected", lambda c: drop(route(c, "task-reflection"), "key-auth")),
    ("grpc_is_protected", lambda c: drop(route(c, "notify-grpc"), "request-transformer")),
    ("grpc_is_protected", lambda c: route(c, "notify-health").update(hosts=["task.mesh.localhost"])),
    ("grpc_is_protected", lambda c: route(c, "task-health").pop("hosts")),
    ("grpc_is_protected", lambda c: service(c, "task-grpc").update(read_timeout=10_000)),
    ("grpc_is_protected", lambda c: c["plugins"].append({"name": "request-size-limiting"})),
    ("keys_stay_out_of_addresses", lambda c: plugin(route(c, "api-key"), "key-auth")["config"].pop("key_in_query")),
    ("cookie_is_safe", lambda c: swap_session(c, storage="cookie")),
    ("cookie_is_safe", lambda c: swap_session(c, cookie_same_site="Lax")),
    ("cookie_is_safe", lambda c: swap_session(c, cookie_http_only=False)),
    ("cookie_is_safe", lambda c: swap_session(c, cookie_secure=False)),
    ("cookie_is_safe", lambda c: swap_session(c, cookie_domain="localhost")),
    ("cookie_is_safe", lambda c: swap_session(c, idling_timeout=30)),
    ("cookie_is_safe", lambda c: swap_session(c, secret="written-into-the-file-by-somebody-in-a-hurry")),
    ("cookie_is_safe", lambda c: plugin(route(c, "login"), "session")["config"].update(audience="another")),
    ("users_are_sound", lambda c: user(c, "demo")["keyauth_credentials"][0].pop("id")),
    ("users_are_sound", lambda c: user(c, "demo").update(id=user(c, "guest")["id"])),
    ("users_are_sound", lambda c: user(c, "demo").update(username="demo user")),
    ("users_are_sound", lambda c: user(c, "demo")["basicauth_credentials"][0].update(username="other")),
]


@pytest.mark.parametrize(("promise", "break_it"), BREAKS, ids=[f"{n}-{name}" for n, (name, _) in enumerate(BREAKS)])
def test_a_promise_that_is_broken_is_missed(
    config: Config, around: promises.Surroundings, promise: str, break_it: Callable[[Config], Any]
) -> None:
    assert list(BY_NAME[promise](Configuration(config), around)) == []
    break_it(config)
    assert list(BY_NAME[promise](Configuration(config), around)) != []


def test_every_promise_is_broken_by_some_test() -> None:
    assert {name for name, _ in BREAKS} == BY_NAME.keys()


FORMS: list[tuple[str, Callable[[Config], Any]]] = [
    ("gateways: there is no such entity", lambda c: c.update(gateways=[])),
    ("_format_version must be 3.0", lambda c: c.update(_format_version="2.1")),
    ("services.web.timeout: there is no such field", lambda c: service(c, "web").update(timeout=1)),
    ("services.web.url: must say protocol, host and port", lambda c: service(c, "web").update(url="http://web")),
    ("services.web.port: url says it already", lambda c: service(c, "web").update(port=80)),
    ("services.web.retries: must be from 0 to 32767", lambda c: service(c, "web").update(retries=-1)),
    (
        "services.api.routes.login.regex_priority: must be of type integer",
        lambda c: route(c, "login").update(regex_priority="20"),
    ),
    (
        "services.api.routes.login.read_timeout: there is no such field",
        lambda c: route(c, "login").update(read_timeout=1),
    ),
    ("services.web.routes.web.methods[0]: must match", lambda c: route(c, "web").update(methods=["get"])),
    ("plugins.rate-limit: there is no such plugin", lambda c: c["plugins"].append({"name": "rate-limit"})),
    (
        "plugins.cors.config.origin: there is no such field",
        lambda c: c["plugins"].append({"name": "cors", "config": {"origin": "*"}}),
    ),
    ("session.config.storage: must be one of cookie, kong", lambda c: swap_session(c, storage="redis")),
    (
        "plugins.key-auth: it cannot be bound to a consumer",
        lambda c: user(c, "demo").update(plugins=[{"name": "key-auth"}]),
    ),
    (
        "plugins.session: it cannot be bound to a consumer",
        lambda c: c["plugins"].append({"name": "session", "consumer": "demo"}),
    ),
    (
        "basicauth_credentials.demo.password: is missing",
        lambda c: user(c, "demo")["basicauth_credentials"][0].pop("password"),
    ),
    ("consumers: must be a list", lambda c: c.update(consumers={})),
    ("plugins.rate-limiting.route: there is no such-route", lambda c: c["plugins"][0].update(route="such-route")),
    (
        "routes.api-key.plugins.key-auth.config.anonymous: there is no nobody",
        lambda c: plugin(route(c, "api-key"), "key-auth")["config"].update(anonymous="nobody"),
    ),
    ("routes: the name web is there twice", lambda c: route(c, "login").update(name="web")),
    (
        "plugins: key-auth is there twice for route api-key",
        lambda c: route(c, "api-key")["plugins"].append(plugin(route(c, "api-key"), "key-auth")),
    ),
]


@pytest.mark.parametrize(("said", "break_it"), FORMS, ids=[said for said, _ in FORMS])
def test_what_kong_would_refuse_is_named(config: Config, said: str, break_it: Callable[[Config], Any]) -> None:
    assert [*schema.problems(config), *references.problems(config)] == []
    break_it(config)
    found = list(schema.problems(config)) or references.problems(config)
    assert any(said in problem for problem in found)


def test_the_files_as_they_are_keep_every_promise() -> None:
    assert list(problems()) == []


def test_a_demo_user_that_stays_in_production_is_found(tmp_path: Path) -> None:
    for name in ("kong.yml", "demo-users.yml", "render"):
        (tmp_path / name).write_text((rendered.FOLDER / name).read_text())
    moved = (
        tmp_path / "kong.yml"
    ).read_text() + "  - { username: ops, keyauth_credentials: [{ id: x, key: guest-key }] }\n"
    (tmp_path / "kong.yml").write_text(moved)
    assert "production: the demo user guest is still there" in list(problems(tmp_path))
