"""key-auth: recognises a consumer by the key in a header."""

from kong.routing import MOST_HEADERS
from kong.standin.consumers import Credential
from kong.standin.exchange import Exchange
from kong.standin.fields import Fields
from kong.standin.plugins.authentication import Authentication
from kong.standin.plugins.base import Surroundings


class KeyAuth(Authentication):
    """Takes the key from the headers that are named for it."""

    priority = 1250
    _challenge = "Key"

    def __init__(self, fields: Fields, around: Surroundings) -> None:
        super().__init__(fields, around)
        self._names = fields.texts("key_names", ("apikey",))
        fields.only("key_in_header", True, default=True)
        fields.only("key_in_query", False, default=True)
        fields.only("key_in_body", False, default=False)
        fields.only("run_on_preflight", True, default=True)

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
