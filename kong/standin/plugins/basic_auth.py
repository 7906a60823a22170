"""basic-auth: recognises a consumer by username and password."""

import base64
import binascii
import re

from kong.standin.consumers import Credential
from kong.standin.exchange import Exchange, Exit
from kong.standin.fields import Fields
from kong.standin.headers import Headers
from kong.standin.plugins.base import Plugin, Surroundings

_BASIC = re.compile(r"\s*[Bb]asic\s*(.+)")


class BasicAuth(Plugin):
    """Who brings no good password is the anonymous consumer where there is one, and else refused."""

    priority = 1100

    def __init__(self, fields: Fields, around: Surroundings) -> None:
        anonymous = fields.take("anonymous", str, "")
        self._anonymous = around.consumers.named(anonymous) if anonymous else None
        self._consumers = around.consumers
        self._hides = fields.take("hide_credentials", bool, False)
        self._realm = fields.take("realm", str, "service")

    async def access(self, exchange: Exchange) -> None:
        """Looks at the password unless somebody was recognised already."""
        if self._anonymous and exchange.credential:
            return
        credential = self._credential(exchange)
        if credential:
            exchange.identify(credential.consumer, credential)
        elif self._anonymous:
            exchange.identify(self._anonymous, None)
        else:
            challenge = Headers([("WWW-Authenticate", f'Basic realm="{self._realm}"')])
            raise Exit(exchange.error(401, "Unauthorized", challenge))

    def _credential(self, exchange: Exchange) -> Credential | None:
        for name in ("proxy-authorization", "authorization"):
            given = _read(exchange.headers.get(name))
            if given:
                if self._hides:
                    exchange.headers.remove(name)
                return self._consumers.by_password(*given)
        return None


def _read(header: str) -> tuple[str, str] | None:
    match = _BASIC.match(header)
    if not match:
        return None
    try:
        username, colon, password = base64.b64decode(match[1], validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (username, password) if username and colon else None
