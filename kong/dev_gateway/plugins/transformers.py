"""request-transformer and response-transformer: remove and add headers."""

from pydantic import BaseModel, ConfigDict
from starlette.datastructures import MutableHeaders

from kong.dev_gateway.exchange import Exchange, Response
from kong.dev_gateway.plugins.base import Plugin


class _Headers(BaseModel):
    model_config = ConfigDict(extra="forbid")
    headers: list[str] = []


class _Transformer(Plugin):
    remove: _Headers = _Headers()
    add: _Headers = _Headers()

    def _remove(self, headers: MutableHeaders) -> None:
        for name in self.remove.headers:
            del headers[name]

    def _add(self, headers: MutableHeaders, present: set[str]) -> None:
        for line in self.add.headers:
            name, _, value = line.partition(":")
            if name.lower() not in present:
                headers[name] = value


class RequestTransformer(_Transformer):
    """Changes the request headers sent to the service."""

    priority = 801

    async def access(self, exchange: Exchange) -> None:
        """Remove headers, then add those that are missing."""
        self._remove(exchange.headers)
        self._add(exchange.headers, set(exchange.headers))


class ResponseTransformer(_Transformer):
    """Changes the response headers sent to the client."""

    priority = 800

    def header_filter(self, exchange: Exchange, response: Response) -> None:  # noqa: ARG002
        """Remove headers, then add those that were missing before. A removed header is not added again."""
        present = set(response.headers)
        self._remove(response.headers)
        self._add(response.headers, present)
