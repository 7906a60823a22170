"""What key-auth and basic-auth have in common: whoever brings a good credential is its consumer, else anonymous."""

from abc import abstractmethod

from kong.standin.consumers import Credential
from kong.standin.exchange import Exchange, Exit
from kong.standin.fields import Fields
from kong.standin.headers import Headers
from kong.standin.plugins.base import Plugin, Surroundings


class Authentication(Plugin):
    """Who brings no good credential is the anonymous consumer where there is one, and else refused."""

    def __init__(self, fields: Fields, around: Surroundings) -> None:
        anonymous = fields.take("anonymous", str, "")
        self._anonymous = around.consumers.named(anonymous) if anonymous else None
        self._consumers = around.consumers
        self._hides = fields.take("hide_credentials", bool, False)

    async def access(self, exchange: Exchange) -> None:
        """Looks at the credential unless somebody was recognised already."""
        if self._anonymous and exchange.credential:
            return
        credential = self._credential(exchange)
        if credential:
            exchange.identify(credential.consumer, credential)
        elif self._anonymous:
            exchange.identify(self._anonymous, None)
        else:
            challenge = Headers([("WWW-Authenticate", self._challenge)])
            raise Exit(exchange.error(401, "Unauthorized", challenge))

    @property
    @abstractmethod
    def _challenge(self) -> str:
        """How a stranger is told what to bring."""

    @abstractmethod
    def _credential(self, exchange: Exchange) -> Credential | None:
        """The good credential in a request, or None; hides it from the service where it should."""
