"""The supported plugins."""

from collections.abc import Mapping

from pydantic import ValidationError

from kong import configuration
from kong.configuration import BadConfiguration
from kong.dev_gateway.plugins.authentication import BasicAuth, KeyAuth
from kong.dev_gateway.plugins.base import Plugin, State
from kong.dev_gateway.plugins.functions import PostFunction, PreFunction
from kong.dev_gateway.plugins.others import CorrelationId, OpenTelemetry, Prometheus, RequestTermination
from kong.dev_gateway.plugins.rate_limiting import RateLimiting
from kong.dev_gateway.plugins.session import SessionPlugin
from kong.dev_gateway.plugins.transformers import RequestTransformer, ResponseTransformer

_NAMES: Mapping[str, type[Plugin]] = {
    "basic-auth": BasicAuth,
    "correlation-id": CorrelationId,
    "key-auth": KeyAuth,
    "opentelemetry": OpenTelemetry,
    "post-function": PostFunction,
    "pre-function": PreFunction,
    "prometheus": Prometheus,
    "rate-limiting": RateLimiting,
    "request-termination": RequestTermination,
    "request-transformer": RequestTransformer,
    "response-transformer": ResponseTransformer,
    "session": SessionPlugin,
}
NAMES = sorted(_NAMES, key=lambda name: _NAMES[name].priority, reverse=True)
"""The names of all plugins, in the order in which they run in each phase."""


def build(entry: configuration.Plugin, state: State) -> Plugin:
    """Build a plugin from its entry in kong.yml. Raise BadConfiguration if it or a field is not supported."""
    if entry.name not in _NAMES:
        msg = f"plugin {entry.name}: not supported by the development gateway"
        raise BadConfiguration(msg)
    try:
        plugin = _NAMES[entry.name].model_validate(entry.config)
        plugin.start(state)
    except ValidationError as error:
        raise BadConfiguration(configuration.messages(error, f"plugin {entry.name}: ")) from None
    except ValueError as error:
        msg = f"plugin {entry.name}: {error}"
        raise BadConfiguration(msg) from None
    return plugin
