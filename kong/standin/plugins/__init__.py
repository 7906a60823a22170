"""The plugins that the stand-in knows, one module a plugin or family; each takes its own fields of kong.yml."""

from kong.standin.fields import Fields, Unknown
from kong.standin.plugins.base import Plugin, Surroundings
from kong.standin.plugins.basic_auth import BasicAuth
from kong.standin.plugins.correlation_id import CorrelationId
from kong.standin.plugins.functions import PostFunction, PreFunction
from kong.standin.plugins.key_auth import KeyAuth
from kong.standin.plugins.rate_limiting import RateLimiting
from kong.standin.plugins.request_size_limiting import RequestSizeLimiting
from kong.standin.plugins.request_termination import RequestTermination
from kong.standin.plugins.session import SessionPlugin
from kong.standin.plugins.transformers import RequestTransformer, ResponseTransformer
from kong.standin.plugins.unseen import OpenTelemetry, Prometheus

KNOWN: dict[str, type[Plugin]] = {
    "pre-function": PreFunction,
    "correlation-id": CorrelationId,
    "session": SessionPlugin,
    "key-auth": KeyAuth,
    "basic-auth": BasicAuth,
    "request-size-limiting": RequestSizeLimiting,
    "rate-limiting": RateLimiting,
    "request-transformer": RequestTransformer,
    "response-transformer": ResponseTransformer,
    "opentelemetry": OpenTelemetry,
    "prometheus": Prometheus,
    "request-termination": RequestTermination,
    "post-function": PostFunction,
}
"""By name, in the order in which they run in every phase."""


def build(name: str, config: Fields, around: Surroundings) -> Plugin:
    """Makes a plugin from its fields. Raises Unknown for a plugin or a field that the stand-in does not know."""
    if name not in KNOWN:
        msg = f"{config.where}: the plugin {name} is not known to the stand-in"
        raise Unknown(msg)
    plugin = KNOWN[name](config, around)
    config.done()
    return plugin
