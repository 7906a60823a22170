"""request-transformer and response-transformer: remove and add headers."""

from pydantic import BaseModel, ConfigDict
from starlette.datastructures import MutableHeaders

from kong.dev_gateway.exchange import Answer, Exchange
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
    """Changes what the service gets."""

    priority = 801

    async def access(self, exchange: Exchange) -> None:
        """Removes headers, then adds those that are missing."""
        self._remove(exchange.headers)
        self._add(exchange.headers, set(exchange.headers))


class ResponseTransformer(_Transformer):
    """Changes what the client gets."""

    priority = 800

    def header_filter(self, exchange: Exchange, answer: Answer) -> None:  # noqa: ARG002
        """Removes headers, then adds those that were missing before: what it removes, it does not add again."""
        present = set(answer.headers)
        self._remove(answer.headers)
        self._add(answer.headers, present)
