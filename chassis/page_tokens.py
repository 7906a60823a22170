"""Page tokens: a place in a listing, opaque to its reader and tied to what it was made for (AIP-158).

A token carries no authority: every query is bound to the caller anyway. Its checksum finds damage and misuse.
"""

import base64
import binascii
import hashlib
import struct

from chassis.errors import InvalidInput, Violation

_CHECKSUM_BYTES = 8
_TOKEN_MAX = 512


def encode(place: bytes, *bound: bytes) -> str:
    """The token for going on at `place`; `bound` is all that must stay the same: the user, the arguments."""
    return base64.urlsafe_b64encode(_checksum(place, *bound) + place).decode().rstrip("=")


def decode(token: str, *bound: bytes) -> bytes:
    """The place in a token. Raises InvalidInput, reason INVALID_PAGE_TOKEN, unless `encode` made it for `bound`."""
    try:
        padded = token[:_TOKEN_MAX].encode("ascii") + b"=" * (-len(token) % 4)
        place = base64.b64decode(padded, altchars=b"-_", validate=True)[_CHECKSUM_BYTES:]
    except (ValueError, binascii.Error):
        raise invalid() from None
    if encode(place, *bound) != token:
        raise invalid()
    return place


def invalid() -> InvalidInput:
    """The error for a token that is none."""
    violation = Violation("page_token", "is damaged, or belongs to another user or to other arguments")
    return InvalidInput(violation, reason="INVALID_PAGE_TOKEN")


def _checksum(*parts: bytes) -> bytes:
    lengths = struct.pack(f">{len(parts)}q", *(len(part) for part in parts))
    return hashlib.blake2b(lengths + b"".join(parts), digest_size=_CHECKSUM_BYTES).digest()
