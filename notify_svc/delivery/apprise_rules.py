"""The rules for the URL of an outside channel; `channel_file` checks them at startup."""

from chassis.settings import is_loopback
from notify_svc.delivery.apprise_plugins import new_plugin, parsed
from notify_svc.delivery.apprise_services import PLAIN, Service, scheme_of, service_of

_WEBHOOK_PREFIXES = ("+", "-", ":")
"""The prefixes of a webhook's parameters: a header, a query parameter, a field of the message."""


def check(url: str, *, is_development: bool) -> None:
    """Raise ValueError for a URL that is not allowed. The message contains only the URL's scheme."""
    service_of(url)
    _check_parameters(url)
    _check_encryption(url, is_development=is_development)


def _check_parameters(url: str) -> None:
    service = service_of(url)
    for name in parsed(url)["qsd"]:
        if name not in service.parameters and not (service.is_webhook and name.startswith(_WEBHOOK_PREFIXES)):
            msg = f"the URL has a parameter that is not allowed; {scheme_of(url)} allows: {_allowed(service)}"
            raise ValueError(msg)


def _allowed(service: Service) -> str:
    return "+header, -query, :field" if service.is_webhook else ", ".join(sorted(service.parameters)) or "none"


def _check_encryption(url: str, *, is_development: bool) -> None:
    scheme, plugin = scheme_of(url), new_plugin(url)
    if scheme in PLAIN and not (is_development and is_loopback(plugin.host.strip("[]"))):
        msg = f"{scheme} is not encrypted: it is allowed only in development, on loopback; use {scheme}s"
        raise ValueError(msg)
    if getattr(plugin, "secure_mode", "") == "insecure":
        msg = f"{scheme} is not encrypted with this server; use a server with TLS"
        raise ValueError(msg)
