"""request-size-limiting: refuses bodies that are too large, by what they say or by what they are."""

from kong.standin.exchange import Exchange, Exit
from kong.standin.fields import Fields
from kong.standin.plugins.base import Plugin, Surroundings

_UNITS = {"bytes": 1, "kilobytes": 2**10, "megabytes": 2**20}


class RequestSizeLimiting(Plugin):
    """A body without a length is read first, as Kong does."""

    priority = 951

    def __init__(self, fields: Fields, _around: Surroundings) -> None:
        unit = fields.only("size_unit", *_UNITS, default="megabytes")
        self._most = fields.take("allowed_payload_size", int, 128) * _UNITS[unit]
        fields.only("require_content_length", False, default=False)

    async def access(self, exchange: Exchange) -> None:
        """Answers 413, or 417 to a client that has not sent the body yet and asks whether it may."""
        declared = exchange.headers.get("content-length")
        size = int(declared) if declared else len(await exchange.read_body())
        if size > self._most:
            waits = exchange.headers.get("expect").lower() == "100-continue"
            raise Exit(exchange.error(417 if waits else 413, "Request size limit exceeded"))
