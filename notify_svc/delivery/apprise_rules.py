"""What the URL of an outside channel may be; asked by `channel_file` before anything is sent."""

from chassis.settings import is_loopback
from notify_svc.delivery.apprise_plugins import new_plugin, parsed
from notify_svc.delivery.apprise_services import PLAIN, Service, scheme_of, service_of

_OF_WEBHOOKS = ("+", "-", ":")
"""What a header, a part of the query and a field of the message begin with."""


def check(url: str, *, is_development: bool) -> None:
    """Raises ValueError for a URL that a channel must not have, and says nothing of it but its scheme."""
    service_of(url)
    _check_parameters(url)
    _check_encryption(url, is_development=is_development)


def _check_parameters(url: str) -> None:
    service = service_of(url)
    for name in parsed(url)["qsd"]:
        if name not in service.parameters and not (service.is_webhook and name.startswith(_OF_WEBHOOKS)):
            msg = f"the URL has a parameter that is not allowed; with {scheme_of(url)} these are: {_allowed(service)}"
            raise ValueError(msg)


def _allowed(service: Service) -> str:
    return "+header, -query, :field" if service.is_webhook else ", ".join(sorted(service.parameters)) or "none"


def _check_encryption(url: str, *, is_development: bool) -> None:
    scheme, plugin = scheme_of(url), new_plugin(url)
    if scheme in PLAIN and not (is_development and is_loopback(plugin.host.strip("[]"))):
        msg = f"{scheme} is not encrypted, and allowed in development on loopback only; use {scheme}s"
        raise ValueError(msg)
    if getattr(plugin, "secure_mode", "") == "insecure":
        msg = f"{scheme} would not be encrypted with this server"
        raise ValueError(msg)
