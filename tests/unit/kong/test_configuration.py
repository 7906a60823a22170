"""The reader of kong.yml and the development gateway reject unsupported input, by name and without secret values."""

from typing import Any

import pytest

from kong.configuration import BadConfiguration, Configuration, parse
from kong.dev_gateway.phases import Phases
from tests.support.kong.dev_gateway import Change, Document, document, plugins_of, route, service


def refusal(change: Change) -> str:
    changed = document(change)
    with pytest.raises(BadConfiguration) as refused:
        load(changed)
    return str(refused.value)


def load(changed: Document) -> None:
    Phases(Configuration(changed))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda file: file.update(certificates=[]), "certificates"),
        (lambda file: file.update(_format_version="2.1"), "_format_version"),
        (lambda file: file["plugins"].append({"name": "cors"}), "plugin cors"),
        (lambda file: file["plugins"].append({"name": "rate-limiting", "route": "absent"}), "route absent does not"),
        (lambda file: file["plugins"].append({"name": "key-auth", "consumer": "absent"}), "consumer absent does not"),
        (lambda file: file["plugins"].append(dict(file["plugins"][-1])), "opentelemetry: is defined more than once"),
        (lambda file: service(file, "api").update(tls_verify=True), "tls_verify"),
        (lambda file: service(file, "api").update(url="http://edge"), "url"),
        (lambda file: service(file, "api").pop("retries"), "service api: retries"),
        (lambda file: route(file, "login").pop("strip_path"), "route login: strip_path"),
        (lambda file: route(file, "login").update(snis=["x"]), "snis"),
        (lambda file: route(file, "login").update(regex_priority="20"), "regex_priority"),
        (lambda file: route(file, "web").update(name="login"), "route login: is defined more than once"),
        (lambda file: file["consumers"].append({"username": "demo"}), "consumer demo: is defined more than once"),
        (lambda file: file["consumers"][-1].update(id=file["consumers"][-2]["id"]), "id da499a0e-44e2-4c61-899b"),
        (lambda file: file["consumers"][-1].update(keyauth_credentials=[{"id": "1", "key": "demo-key"}]), "key …"),
        (lambda file: file["consumers"][-1].update(keyauth_credentials=[{"key": "other-key"}]), "id: Field required"),
    ],
)
def test_an_unsupported_entry_or_field_is_rejected(change: Change, named: str) -> None:
    message = refusal(change)
    assert named in message
    assert "demo-key" not in message


@pytest.mark.parametrize(
    ("plugin", "field", "value"),
    [
        ("key-auth", "key_in_query", True),
        ("key-auth", "realm", "x"),
        ("session", "storage", "cookie"),
        ("session", "secret", "short"),
        ("session", "cookie_name", 7),
        ("rate-limiting", "policy", "redis"),
        ("request-transformer", "rename", {"headers": ["a:b"]}),
        ("response-transformer", "remove", {"json": ["a"]}),
        ("correlation-id", "generator", "tracker"),
        ("pre-function", "log", ["return 1"]),
        ("pre-function", "rewrite", ["return function("]),
    ],
)
def test_an_unsupported_field_of_a_plugin_is_rejected(plugin: str, field: str, value: Any) -> None:
    def change(file: Document) -> None:
        for each in plugins_of(file, plugin):
            each["config"] = {**each["config"], field: value}

    message = refusal(change)
    assert message.startswith(f"plugin {plugin}: ")
    assert field in message or "invalid Lua" in message


@pytest.mark.parametrize("text", ["a: [", "- a list"])
def test_input_that_is_not_a_yaml_mapping_is_rejected(text: str) -> None:
    with pytest.raises(BadConfiguration, match="YAML"):
        parse(text)


def test_only_the_most_specific_instance_of_a_plugin_runs() -> None:
    gateway = Configuration(document())
    login, key = gateway.routes["login"], gateway.routes["api-key"]
    assert (gateway.config("rate-limiting", login) or {})["minute"] == 600
    assert (gateway.config("rate-limiting", login, "anonymous") or {})["minute"] == 60
    assert "access" in (gateway.config("pre-function", login) or {})
    assert "rewrite" in (gateway.config("pre-function", key) or {})
    assert gateway.config("request-termination", key) is None
