"""Each rule for kong.yml reports its violations."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kong import policies, rendered
from kong.configuration import Configuration
from scripts.kong_check import policy_context, problems
from tests.support.edge_api.edge import TOKEN
from tests.support.kong.dev_gateway import SESSION_SECRET, document, drop_plugin, plugins_of, route, service

Config = dict[str, Any]
BY_NAME = {rule.__name__: rule for rule in policies.RULES}


@pytest.fixture(scope="module")
def context() -> policies.PolicyContext:
    return policy_context(TOKEN, SESSION_SECRET)


def plugin(entity: Config, name: str) -> Config:
    found: Config = next(each for each in entity["plugins"] if each["name"] == name)
    return found


def change_session(config: Config, of: str, **changes: Any) -> None:
    found = plugin(route(config, of), "session")
    found["config"] = {**found["config"], **changes}


BODY_READER = {"name": "request-size-limiting", "config": {"allowed_payload_size": 256, "size_unit": "kilobytes"}}

BREAKS: list[tuple[str, Callable[[Config], Any]]] = [
    ("operations_reach_the_edge", lambda c: route(c, "api-session").update(paths=["~/api/v2(/|$)"])),
    ("operations_reach_the_edge", lambda c: route(c, "api-session").pop("methods")),  # the route `web` then wins
    (
        "operations_reach_the_edge",
        lambda c: route(c, "events-key").update(regex_priority=0, methods=["GET", "HEAD"], paths=["~/api(/|$)"]),
    ),
    ("operations_reach_the_edge", drop_plugin("basic-auth", lambda c: route(c, "login"))),
    ("operations_reach_the_edge", lambda c: route(c, "login").update(regex_priority=0, methods=["TRACE"])),
    (
        "operations_reach_the_edge",
        lambda c: route(c, "api-key")["plugins"].append(plugin(route(c, "login"), "session")),
    ),
    ("operations_reach_the_edge", drop_plugin("pre-function", lambda c: route(c, "login"))),
    ("no_plugin_reads_a_body", lambda c: service(c, "api")["plugins"].append(BODY_READER)),
    ("no_plugin_reads_a_body", lambda c: c["plugins"].append({**BODY_READER, "route": "login"})),
    ("no_plugin_reads_a_body", lambda c: route(c, "web").pop("request_buffering")),
    ("streams_are_not_cut", lambda c: service(c, "api-events").update(read_timeout=15_000)),
    ("streams_are_not_cut", lambda c: service(c, "task-grpc").update(read_timeout=10_000)),
    ("streams_are_not_cut", lambda c: route(c, "events-key").pop("response_buffering")),
    ("internals_have_no_route", lambda c: route(c, "api-session").update(paths=["~/(api|healthz)(/|$)"])),
    ("internals_have_no_route", lambda c: route(c, "task-grpc").update(paths=["/task.v1."])),
    ("internals_have_no_route", lambda c: route(c, "web").pop("methods")),
    ("internals_have_no_route", lambda c: route(c, "task-health").update(paths=["/grpc.health.v1.Health/"])),
    ("grpc_needs_a_key", drop_plugin("key-auth", lambda c: route(c, "task-reflection"))),
    ("grpc_needs_a_key", drop_plugin("request-transformer", lambda c: route(c, "notify-grpc"))),
    ("grpc_needs_a_key", lambda c: route(c, "notify-health").update(hosts=["task.mesh.localhost"])),
    ("sessions_agree", lambda c: change_session(c, "login", audience="another")),
    ("sessions_agree", lambda c: change_session(c, "logout", idling_timeout=75)),
    ("sessions_agree", lambda c: change_session(c, "api-session", logout_methods=["POST"])),
    ("sessions_agree", lambda c: [each["config"].update(secret="s" * 40) for each in plugins_of(c, "session")]),
    ("services_have_addresses", lambda c: service(c, "web").update(url="http://absent:80")),
    ("users_are_sound", lambda c: c["consumers"][-1].pop("id")),
    ("users_are_sound", lambda c: c["consumers"][-1].update(username="demo user")),
    ("users_are_sound", lambda c: c["consumers"][-1]["basicauth_credentials"][0].update(username="other")),
    ("users_are_sound", lambda c: c["consumers"][0].update(keyauth_credentials=[{"id": "1", "key": "k"}])),
]


@pytest.mark.parametrize(("rule", "break_it"), BREAKS, ids=[f"{n}-{name}" for n, (name, _) in enumerate(BREAKS)])
def test_a_violation_is_reported(context: policies.PolicyContext, rule: str, break_it: Callable[[Config], Any]) -> None:
    config = copy.deepcopy(document())
    assert list(BY_NAME[rule](Configuration(config), context)) == []
    for each in plugins_of(config, "session"):
        each["config"] = dict(each["config"])
    break_it(config)
    assert list(BY_NAME[rule](Configuration(config), context)) != []


def test_every_rule_is_broken_by_some_test() -> None:
    assert {name for name, _ in BREAKS} == BY_NAME.keys()


def test_the_files_comply_with_every_rule() -> None:
    assert list(problems()) == []


def test_a_demo_user_in_production_is_reported(tmp_path: Path) -> None:
    for name in ("kong.yml", "demo-users.yml", "render"):
        (tmp_path / name).write_text((rendered.FOLDER / name).read_text())
    with (tmp_path / "kong.yml").open("a") as file:
        file.write("  - { username: ops, id: o, keyauth_credentials: [{ id: x, key: guest-key }] }\n")
    assert "production: the demo user guest must be removed" in list(problems(tmp_path))
