"""Page tokens: a place in a listing, opaque to its reader and tied to the user and the arguments it was made for.

A token carries no authority: every query is bound to the caller anyway. Its checksum finds damage and misuse.
"""

import base64
import binascii
import hashlib
import struct

from chassis.errors import InvalidInput, Violation
from task_svc.repository import Position

_CHECKSUM_BYTES = 8
_VALUE = struct.Struct(">q")


def encode(position: Position, owner: str, arguments: bytes) -> str:
    """The token for going on at `position`; `arguments` tells all that must stay the same."""
    place = _VALUE.pack(position.value) + position.id.encode()
    return base64.urlsafe_b64encode(_checksum(place, owner, arguments) + place).decode().rstrip("=")


def decode(token: str, owner: str, arguments: bytes) -> Position:
    """The position in a token. Raises InvalidInput, reason INVALID_PAGE_TOKEN, when it is not from `encode`."""
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        (value,) = _VALUE.unpack_from(raw, _CHECKSUM_BYTES)
        position = Position(value, raw[_CHECKSUM_BYTES + _VALUE.size :].decode())
    except (ValueError, binascii.Error, struct.error):
        raise _invalid() from None
    if encode(position, owner, arguments) != token:
        raise _invalid()
    return position


def _invalid() -> InvalidInput:
    violation = Violation("page_token", "is damaged, or belongs to another user or to other arguments")
    return InvalidInput(violation, reason="INVALID_PAGE_TOKEN")


def _checksum(place: bytes, owner: str, arguments: bytes) -> bytes:
    parts = (owner.encode(), arguments, place)
    lengths = struct.pack(">3q", *(len(part) for part in parts))
    return hashlib.blake2b(lengths + b"".join(parts), digest_size=_CHECKSUM_BYTES).digest()
