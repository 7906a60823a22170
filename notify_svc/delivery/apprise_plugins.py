"""Creates Apprise plugins that send only through `outbound_http` and `outbound_smtp`.

Only the configured plugins are loaded, each from its own module. Apprise itself would load all its plugins, and
search for files with more.
"""

import functools
import importlib
import logging
import warnings
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from notify_svc.delivery.apprise_services import Service, scheme_of, service_of

if TYPE_CHECKING:
    from apprise.plugins.base import NotifyBase


def new_plugin(url: str) -> "NotifyBase":
    """Return a plugin for one notification; plugins have state, so do not share them.

    Raises ValueError for a URL that is not valid for its service. The message contains only the URL's scheme.
    """
    from apprise import AppriseAsset  # loads slowly, so it is imported only if outside channels are configured

    asset = AppriseAsset(
        app_id="Taskmesh",
        app_desc="Taskmesh",
        app_url="",
        async_mode=False,
        http_redirects=False,
        image_url_logo="",
        image_url_mask="",
        pem_autogen=False,
        pgp_autogen=False,
        storage_mode="memory",
    )
    made = parsed(url)
    try:
        plugin: NotifyBase = _class_of(service_of(url))(**made, asset=asset)
    except Exception:  # the message may contain the URL
        raise _malformed(url) from None
    plugin.request_rate_per_sec = 0  # no rate limit: the plugin would sleep, but the deliverer makes the pauses
    return plugin


def parsed(url: str) -> Mapping[str, Any]:
    """Return the parts of a URL as the plugin parses it. Raises ValueError like `new_plugin`."""
    found: Mapping[str, Any] | None = _class_of(service_of(url)).parse_url(url)
    if not found:
        raise _malformed(url)
    return found


def _malformed(url: str) -> ValueError:
    scheme = scheme_of(url)
    return ValueError(f"the URL is not valid for {scheme}; see Apprise's documentation")


@functools.cache
def _class_of(service: Service) -> Any:
    logging.getLogger("apprise").disabled = True  # it would log URLs and responses
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the mail plugin uses deprecated features
        modules = [importlib.import_module(f"apprise.plugins.{name}") for name in service.modules]
    for module in modules:
        _guard(module)
    return getattr(modules[0], service.plugin)


def _guard(module: ModuleType) -> None:
    from notify_svc.delivery import outbound_http, outbound_smtp  # the HTTP client takes memory

    for name, guarded in (("requests", outbound_http.guarded), ("smtplib", outbound_smtp.guarded)):
        if hasattr(module, name):
            setattr(module, name, guarded())
