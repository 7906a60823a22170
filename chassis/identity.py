"""The identity of callers: the user and request id in headers and metadata, and the mesh token that proves them."""

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
    """Return whether `name` is a well-formed username: 1 to 64 characters of A-Za-z0-9._-."""
    return _USERNAME.fullmatch(name) is not None


def set_user(name: str | None) -> None:
    """Set the user of the current request."""
    _user.set(name)


def current_user() -> str | None:
    """Return the user of the current request, or None if it has none."""
    return _user.get()


def require_user() -> str:
    """Return the user of the current request. Raises Unauthenticated if it has none."""
    user = _user.get()
    if user is None:
        raise Unauthenticated("NO_USER", f"{USER_KEY} must name the calling user.")
    return user


def set_request_id(given: str | None) -> str:
    """Set and return the id of the current request: `given`, or a new id if that is missing or malformed."""
    request_id = given if given is not None and _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
    _request_id.set(request_id)
    return request_id


def current_request_id() -> str | None:
    """Return the id of the current request, or None outside a request."""
    return _request_id.get()


class MeshTokens:
    """The secrets that authenticate the members of the mesh: the first is sent, all are accepted."""

    def __init__(self, tokens: Iterable[str]) -> None:
        self._tokens = tuple(tokens)

    @classmethod
    def read(cls, path: Path | None) -> "MeshTokens":
        """Read one or two tokens (two during a rotation), one per line. Without a path, there are no tokens.

        Raises ValueError if the file has no token, more than two, or one that is not 16 or more printable ASCII
        characters; OSError if it cannot be read.
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
        """The token to send, or None if the mesh runs without tokens."""
        return self._tokens[0] if self._tokens else None

    def accept(self, token: str | None) -> bool:
        """Return whether `token` authenticates a member of the mesh; always true if the mesh runs without tokens."""
        if not self._tokens:
            return True
        given = (token or "").encode()
        return any([hmac.compare_digest(given, own.encode()) for own in self._tokens])
