"""The promises about what proves who calls: keys, the cookie, and the users."""

import re
from collections.abc import Iterator

from kong.configuration import Configuration
from kong.promises.surroundings import Surroundings

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
_USERNAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


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
