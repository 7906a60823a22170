"""Page tokens of an inbox: the position after which a page begins, bound to the user whose inbox it is.

The checksum finds damage and mix-ups; it keeps no secret, and a made-up token shows no more than the user's own inbox.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from chassis.errors import InvalidInput, Violation

_TOKEN_MAX = 256
_CHECKSUM_BYTES = 8
_POSITION = re.compile(r"(\d{1,15}) ([0-9A-Za-z:]{1,64})")


@dataclass(frozen=True, slots=True)
class Position:
    """A place in an inbox: right behind the notification with this create time and id."""

    create_time_ms: int
    id: str


def encode(owner: str, position: Position) -> str:
    """The token for a position in a user's inbox."""
    text = f"{position.create_time_ms} {position.id}".encode()
    return base64.urlsafe_b64encode(_checksum(owner, text) + text).decode().rstrip("=")


def decode(owner: str, token: str) -> Position:
    """The position in a token. Raises InvalidInput (INVALID_PAGE_TOKEN) for a damaged one, or another user's."""
    try:
        if len(token) > _TOKEN_MAX:
            raise ValueError
        data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        checksum, text = data[:_CHECKSUM_BYTES], data[_CHECKSUM_BYTES:]
        match = _POSITION.fullmatch(text.decode("ascii"))
        if match is None or checksum != _checksum(owner, text):
            raise ValueError
    except (ValueError, binascii.Error):
        violation = Violation("page_token", "must be a next_page_token of the same user, unchanged")
        raise InvalidInput(violation, reason="INVALID_PAGE_TOKEN") from None
    return Position(int(match[1]), match[2])


def _checksum(owner: str, text: bytes) -> bytes:
    return hashlib.sha256(owner.encode() + b"\0" + text).digest()[:_CHECKSUM_BYTES]
