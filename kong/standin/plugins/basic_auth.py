"""basic-auth: recognises a consumer by username and password."""

import base64
import binascii
import re

from kong.standin.consumers import Credential
from kong.standin.exchange import Exchange
from kong.standin.fields import Fields
from kong.standin.plugins.authentication import Authentication
from kong.standin.plugins.base import Surroundings

_BASIC = re.compile(r"\s*[Bb]asic\s*(.+)")


class BasicAuth(Authentication):
    """Takes the password from either header that may bring one."""

    priority = 1100

    def __init__(self, fields: Fields, around: Surroundings) -> None:
        super().__init__(fields, around)
        self._realm = fields.take("realm", str, "service")

    @property
    def _challenge(self) -> str:
        return f'Basic realm="{self._realm}"'

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
