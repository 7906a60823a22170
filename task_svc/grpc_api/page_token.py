"""The page tokens of task listings: a position in an order, for one user and one set of arguments."""

import struct

from chassis import page_tokens
from task_svc.repository import Cursor

_VALUE = struct.Struct(">q")


def encode(position: Cursor, owner: str, arguments: bytes) -> str:
    """Return the token for the page after `position`. `arguments` are the request's fields that must stay the same."""
    return page_tokens.encode(_VALUE.pack(position.value) + position.id.encode(), owner.encode(), arguments)


def decode(token: str, owner: str, arguments: bytes) -> Cursor:
    """Return the position in a token. Raises InvalidInput (INVALID_PAGE_TOKEN) if `encode` did not make the token."""
    place = page_tokens.decode(token, owner.encode(), arguments)
    try:
        (value,) = _VALUE.unpack_from(place)
        return Cursor(value, place[_VALUE.size :].decode())
    except (struct.error, UnicodeDecodeError):  # a forged token can have a valid checksum
        raise page_tokens.invalid() from None
