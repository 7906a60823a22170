"""Page tokens: a cursor in a user's inbox or in the dead letters."""

import re

from chassis import page_tokens
from notify_svc.domain import Cursor

_CURSOR = re.compile(rb"(\d{1,15}) ([!-~]{1,200})")
_NO_USER = b"dead letters"  # not a valid username, so a token of an inbox is not valid for dead letters


def encode(cursor: Cursor, owner: str | None = None) -> str:
    """Return the token for a cursor in a user's inbox or, without an owner, in the dead letters."""
    return page_tokens.encode(f"{cursor.time_ms} {cursor.id}".encode(), _bound(owner))


def decode(token: str, owner: str | None = None) -> Cursor:
    """Return the cursor in a token. Raises InvalidInput (INVALID_PAGE_TOKEN) for a damaged token or another user's."""
    match = _CURSOR.fullmatch(page_tokens.decode(token, _bound(owner)))
    if match is None:  # a forged token can have a valid checksum
        raise page_tokens.invalid()
    return Cursor(int(match[1]), match[2].decode())


def _bound(owner: str | None) -> bytes:
    return _NO_USER if owner is None else owner.encode()
