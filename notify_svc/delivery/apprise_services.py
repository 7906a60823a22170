"""The services behind outside channels: those of Apprise's plugins that we have looked at, and how each is used.

Only what is on this list can be configured. Apprise has many more, among them such that run programs, write files or
speak to the desktop; those that are here send over TLS, keep nothing, and show a user's text as text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from notify_svc.delivery import message_text

_SCHEME = re.compile(r"([a-z0-9]{1,20})://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Service:
    """A plugin of the first of some modules, the parameters that its URL may have, and how it is given text.

    Parameters are listed since others would loosen our rules: `verify=no`, `redirect=yes`, `optional=yes`, `format=…`.
    A webhook may also have `+header`, `-query` and `:field` parameters.
    """

    modules: tuple[str, ...]
    plugin: str
    parameters: frozenset[str] = frozenset()
    format: str = "text"
    written: Callable[[str], str] = message_text.as_text
    is_webhook: bool = False


_JSON = Service(("custom_json",), "NotifyJSON", is_webhook=True)
_XML = Service(("custom_xml",), "NotifyXML", is_webhook=True)
_FORM = Service(("custom_form",), "NotifyForm", is_webhook=True)
_NTFY = Service(("ntfy",), "NotifyNtfy", frozenset({"priority", "tags"}))
_GOTIFY = Service(("gotify",), "NotifyGotify", frozenset({"priority"}))

SERVICES = {
    "jsons": _JSON,
    "xmls": _XML,
    "forms": _FORM,
    "ntfys": _NTFY,
    "gotifys": _GOTIFY,
    "slack": Service(("slack",), "NotifySlack"),
    "discord": Service(("discord",), "NotifyDiscord", frozenset({"thread"}), written=message_text.as_markdown),
    "workflows": Service(
        ("workflows",), "NotifyWorkflows", frozenset({"ver"}), format="markdown", written=message_text.as_markdown
    ),
    "mmosts": Service(("mattermost",), "NotifyMattermost", frozenset({"channel"}), written=message_text.as_markdown),
    "rockets": Service(("rocketchat",), "NotifyRocketChat", format="markdown", written=message_text.as_markdown),
    "tgram": Service(
        ("telegram",), "NotifyTelegram", frozenset({"silent"}), format="html", written=message_text.as_html
    ),
    "pover": Service(("pushover",), "NotifyPushover", frozenset({"priority", "sound"})),
    "mailtos": Service(
        ("email", "email.smtp"),
        "NotifyEmail",
        frozenset({"to", "cc", "bcc", "from", "name", "reply", "smtp", "user", "pass"}),
    ),
}
"""By the scheme of their URLs; all over TLS."""

PLAIN = {"json": _JSON, "xml": _XML, "form": _FORM, "ntfy": _NTFY, "gotify": _GOTIFY}
"""The same without TLS: for development, and there on loopback."""


def service_of(url: str) -> Service:
    """The service that a URL is for. Raises ValueError where that is none of the list."""
    scheme = scheme_of(url)
    service = SERVICES.get(scheme) or PLAIN.get(scheme)
    if service is None:
        msg = f"{scheme or 'what stands there'} is none of the services there are: {', '.join(SERVICES)}"
        raise ValueError(msg)
    return service


def scheme_of(url: str) -> str:
    """The scheme of a URL, in lower case; empty where it has none."""
    match = _SCHEME.match(url)
    return match[1].lower() if match else ""
