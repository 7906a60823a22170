"""The development gateway knows the true kong.yml, and refuses whatever it does not know, by name."""

import time
from typing import Any

import pytest

from kong.standin.configuration import parse, read
from kong.standin.fields import Unknown
from kong.standin.plugins import KNOWN
from tests.support.standin import Document, document, plugins_of, route, service


def refusal(changed: Document) -> str:
    with pytest.raises(Unknown) as refused:
        read(changed, {}, time.time)
    return str(refused.value)


def test_the_true_configuration_is_understood() -> None:
    assert set(read(document(), {}, time.time).services) >= {"api", "api-events", "web"}


def test_plugins_run_in_the_order_of_their_priorities() -> None:
    priorities = [plugin.priority for plugin in KNOWN.values()]
    assert priorities == sorted(priorities, reverse=True)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda file: file.update(certificates=[]), "certificates"),
        (lambda file: file.update(_format_version="2.1"), "_format_version"),
        (lambda file: file["plugins"].append({"name": "cors"}), "cors"),
        (lambda file: file["plugins"].append({"name": "rate-limiting", "route": "nope", "config": {}}), "nope"),
        (lambda file: file["plugins"].append({"name": "key-auth", "consumer": "nobody"}), "nobody"),
        (lambda file: file["plugins"].append(dict(file["plugins"][-1])), "twice"),
        (lambda file: service(file, "api").update(tls_verify=True), "tls_verify"),
        (lambda file: service(file, "api").update(url="https://edge:1"), "service api"),
        (lambda file: service(file, "api").update(url="http://edge:1/below"), "service api"),
        (lambda file: service(file, "api").pop("retries"), "retries 5"),
        (lambda file: route(file, "login").pop("strip_path"), "strip_path True"),
        (lambda file: route(file, "login").update(snis=["x"]), "snis"),
        (lambda file: route(file, "login").update(preserve_host=True), "preserve_host"),
        (lambda file: route(file, "login").update(request_buffering=False), "request_buffering"),
        (lambda file: route(file, "web").update(name="login"), "route login"),
        (lambda file: file["consumers"].append({"username": "demo"}), "consumer demo"),
        (lambda file: file["consumers"].append({"username": "x", "acls": [{"group": "g"}]}), "acls"),
        (lambda file: file["consumers"][-1].update(keyauth_credentials=[{"key": "demo-key"}]), "key"),
    ],
)
def test_an_entity_or_a_field_that_it_does_not_know_is_refused(change: Any, named: str) -> None:
    changed = document(change)
    assert named in refusal(changed)


@pytest.mark.parametrize(
    ("plugin", "field", "value"),
    [
        ("key-auth", "key_in_query", True),
        ("key-auth", "realm", "x"),
        ("session", "storage", "cookie"),
        ("session", "remember", True),
        ("session", "secret", "short"),
        ("session", "cookie_name", 7),
        ("rate-limiting", "policy", "redis"),
        ("rate-limiting", "limit_by", "header"),
        ("rate-limiting", "month", 5),
        ("request-size-limiting", "require_content_length", True),
        ("request-transformer", "rename", {"headers": ["a:b"]}),
        ("request-transformer", "add", {"querystring": ["a:b"]}),
        ("request-transformer", "add", {"headers": ["a:$(headers.b)"]}),
        ("response-transformer", "append", {"headers": ["a:b"]}),
        ("response-transformer", "remove", {"json": ["a"]}),
        ("correlation-id", "generator", "tracker"),
        ("request-termination", "trigger", "x"),
        ("prometheus", "ai_metrics", True),
    ],
)
def test_a_field_of_a_plugin_that_it_does_not_know_is_refused(plugin: str, field: str, value: Any) -> None:
    changed = document(lambda file: [each["config"].update({field: value}) for each in plugins_of(file, plugin)])
    assert field in refusal(changed) or f"plugin {plugin}" in refusal(changed)


@pytest.mark.parametrize("phase", ["rewrite", "access", "header_filter", "body_filter", "log"])
def test_lua_without_a_twin_is_refused(phase: str) -> None:
    changed = document(lambda file: plugins_of(file, "pre-function")[0]["config"].update({phase: ["return 1"]}))
    assert phase in refusal(changed)


def test_lua_that_was_changed_by_a_single_character_is_refused() -> None:
    def change(file: Document) -> None:
        config = plugins_of(file, "pre-function")[0]["config"]
        config["rewrite"] = [config["rewrite"][0].replace("> 100", "> 900")]

    assert "has no twin" in refusal(document(change))


def test_what_is_no_yaml_is_refused() -> None:
    with pytest.raises(Unknown, match="no YAML"):
        parse("a: [")
