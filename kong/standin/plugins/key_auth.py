"""key-auth: recognises a consumer by the key in a header."""

from kong.routing import MOST_HEADERS
from kong.standin.consumers import Credential
from kong.standin.exchange import Exchange, Exit
from kong.standin.fields import Fields
from kong.standin.headers import Headers
from kong.standin.plugins.base import Plugin, Surroundings


class KeyAuth(Plugin):
    """Who brings no good key is the anonymous consumer where there is one, and else refused."""

    priority = 1250

    def __init__(self, fields: Fields, around: Surroundings) -> None:
        anonymous = fields.take("anonymous", str, "")
        self._anonymous = around.consumers.named(anonymous) if anonymous else None
        self._consumers = around.consumers
        self._names = fields.texts("key_names", ("apikey",))
        self._hides = fields.take("hide_credentials", bool, False)
        fields.only("key_in_header", True, default=True)
        fields.only("key_in_query", False, default=True)
        fields.only("key_in_body", False, default=False)
        fields.only("run_on_preflight", True, default=True)

    async def access(self, exchange: Exchange) -> None:
        """Looks at the key unless somebody was recognised already."""
        if self._anonymous and exchange.credential:
            return
        credential = self._credential(exchange)
        if credential:
            exchange.identify(credential.consumer, credential)
        elif self._anonymous:
            exchange.identify(self._anonymous, None)
        else:
            raise Exit(exchange.error(401, "Unauthorized", Headers([("WWW-Authenticate", "Key")])))

    def _credential(self, exchange: Exchange) -> Credential | None:
        for name in self._names:
            keys = exchange.headers.all(name, within=MOST_HEADERS)
            if len(keys) == 1:
                if self._hides:
                    exchange.headers.remove(name)
                return self._consumers.by_key(keys[0])
            if keys:
                return None  # two keys are none
        return None
