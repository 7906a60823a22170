"""The supported services of outside channels: Apprise plugins that were reviewed, and how each is used.

Only these can be configured. Other Apprise plugins run programs, write files or access the desktop. The plugins here
send over TLS, store nothing, and show a user's text as plain text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from notify_svc.delivery import message_text

_SCHEME = re.compile(r"([a-z0-9]{1,20})://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Service:
    """An Apprise plugin (a class in the first module), the allowed parameters of its URL, and the escaping of its text.

    Parameters are an allowlist because others would weaken security: `verify=no`, `redirect=yes`, `optional=yes`,
    `format=…`. A webhook also allows `+header`, `-query` and `:field` parameters.
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
"""The services by URL scheme; all use TLS."""

PLAIN = {"json": _JSON, "xml": _XML, "form": _FORM, "ntfy": _NTFY, "gotify": _GOTIFY}
"""Services without TLS by URL scheme; allowed only in development, on loopback."""


def service_of(url: str) -> Service:
    """Return the service of a URL. Raises ValueError for an unsupported scheme."""
    scheme = scheme_of(url)
    service = SERVICES.get(scheme) or PLAIN.get(scheme)
    if service is None:
        msg = f"the URL scheme {scheme!r} is not supported; use one of: {', '.join(SERVICES)}"
        raise ValueError(msg)
    return service


def scheme_of(url: str) -> str:
    """Return the scheme of a URL in lower case; an empty string for none."""
    match = _SCHEME.match(url)
    return match[1].lower() if match else ""
