"""Page tokens: a position in a listing, opaque to the client and bound to the user and arguments (AIP-158).

A token grants no access: every query is limited to the caller's own data. Its checksum detects damage and misuse.
"""

import base64
import binascii
import hashlib
import struct

from chassis.errors import InvalidInput, Violation

_CHECKSUM_BYTES = 8
_TOKEN_MAX = 512


def encode(place: bytes, *bound: bytes) -> str:
    """Return the token that continues at `place`; `bound` is what must stay the same, such as user and arguments."""
    return base64.urlsafe_b64encode(_checksum(place, *bound) + place).decode().rstrip("=")


def decode(token: str, *bound: bytes) -> bytes:
    """Return the place in a token. Raises InvalidInput (INVALID_PAGE_TOKEN) unless `encode` made it for `bound`."""
    try:
        padded = token[:_TOKEN_MAX].encode("ascii") + b"=" * (-len(token) % 4)
        place = base64.b64decode(padded, altchars=b"-_", validate=True)[_CHECKSUM_BYTES:]
    except (ValueError, binascii.Error):
        raise invalid() from None
    if encode(place, *bound) != token:
        raise invalid()
    return place


def invalid() -> InvalidInput:
    """Return the error for an invalid page token."""
    violation = Violation("page_token", "is damaged, or was issued to another user or for other arguments")
    return InvalidInput(violation, reason="INVALID_PAGE_TOKEN")


def _checksum(*parts: bytes) -> bytes:
    lengths = struct.pack(f">{len(parts)}q", *(len(part) for part in parts))
    return hashlib.blake2b(lengths + b"".join(parts), digest_size=_CHECKSUM_BYTES).digest()
