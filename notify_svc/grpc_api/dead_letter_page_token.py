"""Page tokens of the dead letters: the place after which a page begins."""

import re
from dataclasses import dataclass

from chassis import page_tokens

_PLACE = re.compile(rb"(\d{1,15}) ([!-~]{1,200})")
_BOUND = b"dead letters"  # no user's name, so that a token of an inbox is none here


@dataclass(frozen=True, slots=True)
class Place:
    """Right behind the dead letter with this time and key."""

    time_ms: int
    key: str


def encode(place: Place) -> str:
    """The token for a place."""
    return page_tokens.encode(f"{place.time_ms} {place.key}".encode(), _BOUND)


def decode(token: str) -> Place:
    """The place in a token. Raises InvalidInput (INVALID_PAGE_TOKEN) for a damaged one."""
    match = _PLACE.fullmatch(page_tokens.decode(token, _BOUND))
    if match is None:  # a checksum can be made by anybody
        raise page_tokens.invalid()
    return Place(int(match[1]), match[2].decode())
