"""Who calls: the names in headers and metadata, and the mesh token that makes them believed."""

import hmac
import re
import secrets
from collections.abc import Iterable
from contextvars import ContextVar
from pathlib import Path

from chassis.errors import Unauthenticated

USER_KEY = "x-consumer-username"
TOKEN_KEY = "x-mesh-token"  # noqa: S105 (the header's name, not a token)
REQUEST_ID_KEY = "x-request-id"

_USERNAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_TOKEN = re.compile(r"[!-~]{16,}")

_user: ContextVar[str | None] = ContextVar("user", default=None)
_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def is_username(name: str) -> bool:
    """Whether `name` has the form of a user's name."""
    return _USERNAME.fullmatch(name) is not None


def set_user(name: str | None) -> None:
    """Sets who the current request acts for."""
    _user.set(name)


def current_user() -> str | None:
    """Who the current request acts for, or None where no user does."""
    return _user.get()


def require_user() -> str:
    """Who the current request acts for. Raises Unauthenticated when nobody does."""
    user = _user.get()
    if user is None:
        raise Unauthenticated("NO_USER", f"The caller's name is missing from {USER_KEY}.")
    return user


def set_request_id(given: str | None) -> str:
    """Sets the current request's id and returns it: the given one, or a new one where that is missing or malformed."""
    request_id = given if given is not None and _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
    _request_id.set(request_id)
    return request_id


def current_request_id() -> str | None:
    """The current request's id, or None outside a request."""
    return _request_id.get()


class MeshTokens:
    """The secrets by which the members of the mesh know each other: the first is sent, all are accepted."""

    def __init__(self, tokens: Iterable[str]) -> None:
        self._tokens = tuple(tokens)

    @classmethod
    def read(cls, path: Path | None) -> "MeshTokens":
        """Reads one token per line, one or two (two during a rotation). No path gives no tokens.

        Raises ValueError when the file holds none, more than two, or one that is not of 16 or more printable ASCII
        characters; OSError when it cannot be read.
        """
        if path is None:
            return cls(())
        tokens = path.read_text(encoding="ascii", errors="replace").split()
        if not 1 <= len(tokens) <= 2 or not all(_TOKEN.fullmatch(token) for token in tokens):
            msg = f"{path} must hold one or two tokens, each on its own line, of 16 or more printable ASCII characters"
            raise ValueError(msg)
        return cls(tokens)

    @property
    def outgoing(self) -> str | None:
        """The token to send, or None where the mesh runs without."""
        return self._tokens[0] if self._tokens else None

    def accept(self, token: str | None) -> bool:
        """Whether a caller with this token belongs to the mesh; anybody does where it runs without tokens."""
        if not self._tokens:
            return True
        given = (token or "").encode()
        return any([hmac.compare_digest(given, own.encode()) for own in self._tokens])
