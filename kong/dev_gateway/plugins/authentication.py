"""key-auth and basic-auth: a valid credential sets the consumer; otherwise the consumer is anonymous."""

import base64
import binascii
import re
from abc import abstractmethod
from typing import ClassVar, Literal

from pydantic import PrivateAttr

from kong.dev_gateway.callers import Caller, Callers
from kong.dev_gateway.exchange import Exchange, Exit, error
from kong.dev_gateway.plugins.base import Plugin, State

_BASIC = re.compile(r"\s*[Bb]asic\s*(.+)")


class _Authentication(Plugin):
    anonymous: str | None = None
    hide_credentials: bool = False
    challenge: ClassVar[str]
    _callers: Callers = PrivateAttr()

    def start(self, state: State) -> None:
        """Use the gateway's consumers."""
        self._callers = state.callers

    async def access(self, exchange: Exchange) -> None:
        """Identify the caller by its credential, unless another plugin has done so. Raise Exit with 401."""
        if self.anonymous and exchange.credential:
            return
        caller = self._caller(exchange)
        if caller:
            exchange.identify(*caller)
        elif self.anonymous:
            exchange.identify(self._callers.named(self.anonymous), None)
        else:
            raise Exit(error(401, "Unauthorized", {"WWW-Authenticate": self.challenge}, "exit"))

    @abstractmethod
    def _caller(self, exchange: Exchange) -> Caller | None:
        """Return the caller with the request's credential, or None; remove the credential if `hide_credentials`."""


class KeyAuth(_Authentication):
    """Authenticates by an API key in a header."""

    priority = 1250
    challenge = "Key"
    key_names: list[str]
    key_in_header: Literal[True] = True
    key_in_query: Literal[False]
    key_in_body: Literal[False] = False

    def _caller(self, exchange: Exchange) -> Caller | None:
        for name in self.key_names:
            keys = exchange.headers.getlist(name)
            if keys:
                if self.hide_credentials:
                    del exchange.headers[name]
                return self._callers.by_key(keys[0]) if len(keys) == 1 else None
        return None


class BasicAuth(_Authentication):
    """Authenticates by user name and password."""

    priority = 1100
    challenge = 'Basic realm="service"'

    def _caller(self, exchange: Exchange) -> Caller | None:
        for name in ("proxy-authorization", "authorization"):
            given = _read(exchange.headers.get(name, ""))
            if given:
                if self.hide_credentials:
                    del exchange.headers[name]
                return self._callers.by_password(*given)
        return None


def _read(header: str) -> tuple[str, str] | None:
    match = _BASIC.match(header)
    try:
        name, colon, password = base64.b64decode(match[1] if match else "", validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if name and colon else None
