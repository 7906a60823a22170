"""correlation-id: every request has an id."""

import uuid

from kong.standin.exchange import Answer, Exchange
from kong.standin.fields import Fields
from kong.standin.plugins.base import Plugin, Surroundings


class CorrelationId(Plugin):
    """Keeps the client's id, or makes one; the answer tells it where that is asked for."""

    priority = 100001

    def __init__(self, fields: Fields, _around: Surroundings) -> None:
        self._name = fields.take("header_name", str, "Kong-Request-ID")
        self._echoes = fields.take("echo_downstream", bool, False)
        fields.only("generator", "uuid", default="uuid#counter")

    async def access(self, exchange: Exchange) -> None:
        """Gives the request an id that has none."""
        if not exchange.headers.get(self._name).strip():
            exchange.headers.set(self._name, str(uuid.uuid4()))

    def header_filter(self, exchange: Exchange, answer: Answer) -> None:
        """Tells the id; one that was refused before it got one has none."""
        if self._echoes and self._name in exchange.headers:
            answer.headers.set(self._name, exchange.headers.get(self._name))
