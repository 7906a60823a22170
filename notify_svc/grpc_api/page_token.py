"""Page tokens of an inbox: the position after which a page begins, for one user."""

import re
from dataclasses import dataclass

from chassis import page_tokens

_POSITION = re.compile(rb"(\d{1,15}) ([0-9A-Za-z:]{1,64})")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in an inbox: right behind the notification with this create time and id."""

    create_time_ms: int
    id: str


def encode(owner: str, position: Cursor) -> str:
    """The token for a position in a user's inbox."""
    return page_tokens.encode(f"{position.create_time_ms} {position.id}".encode(), owner.encode())


def decode(owner: str, token: str) -> Cursor:
    """The position in a token. Raises InvalidInput (INVALID_PAGE_TOKEN) for a damaged one, or another user's."""
    match = _POSITION.fullmatch(page_tokens.decode(token, owner.encode()))
    if match is None:  # a checksum can be made by anybody
        raise page_tokens.invalid()
    return Cursor(int(match[1]), match[2].decode())
