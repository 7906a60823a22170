"""Makes Apprise's plugins, so that they send by `outbound_http` and `outbound_smtp` and by nothing else.

Only the plugins that are asked for are loaded, each from its own module: Apprise would look for all it has, and for
files with more.
"""

import functools
import importlib
import logging
import warnings
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from notify_svc.delivery import outbound_http, outbound_smtp
from notify_svc.delivery.apprise_services import Service, scheme_of, service_of

if TYPE_CHECKING:
    from apprise.plugins.base import NotifyBase

_GUARDED = {"requests": outbound_http.guarded, "smtplib": outbound_smtp.guarded}


def new_plugin(url: str) -> "NotifyBase":
    """A plugin to send one notification with, since they keep state while they send.

    Raises ValueError where the service's URLs look different, and says nothing of this one but its scheme.
    """
    from apprise import AppriseAsset  # it takes long to load, and only who has channels needs it

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
    except Exception:  # what it says may quote the URL
        raise _malformed(url) from None
    plugin.request_rate_per_sec = 0  # it would sleep; the pauses are the deliverer's
    return plugin


def parsed(url: str) -> Mapping[str, Any]:
    """What the plugin reads in a URL. Raises ValueError like `new_plugin`."""
    found: Mapping[str, Any] | None = _class_of(service_of(url)).parse_url(url)
    if not found:
        raise _malformed(url)
    return found


def _malformed(url: str) -> ValueError:
    scheme = scheme_of(url)
    return ValueError(f"the URL does not look as Apprise documents it for {scheme}")


@functools.cache
def _class_of(service: Service) -> Any:
    logging.getLogger("apprise").disabled = True  # it would log URLs, and what the other side answers
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the one for mail looks for what later Pythons have not
        modules = [importlib.import_module(f"apprise.plugins.{name}") for name in service.modules]
    for module in modules:
        _guard(module)
    return getattr(modules[0], service.plugin)


def _guard(module: ModuleType) -> None:
    for name, guarded in _GUARDED.items():
        if hasattr(module, name):
            setattr(module, name, guarded())
