"""Places in a stream: the ids that Redis gives its entries, and the resume tokens that are made of them.

A token carries no authority: whoever resumes by one sees what it could have seen anyway.
"""

import re

from chassis.errors import InvalidInput, Violation

StreamId = tuple[int, int]
"""A stream entry's id: milliseconds since 1970, and a number within the millisecond."""

_TOKEN = re.compile(r"(\d{1,15})-(\d{1,19})", re.ASCII)


def token_of(position: StreamId) -> str:
    """The token for going on behind `position`; Redis reads it as the entry's id."""
    return f"{position[0]}-{position[1]}"


def stream_id_of(token: str) -> StreamId | None:
    """The position in a token, or None for a text that is no token."""
    match = _TOKEN.fullmatch(token)
    return None if match is None else (int(match[1]), int(match[2]))


def resume_point(token: str) -> StreamId | None:
    """The position that a watcher wants to go on behind, None for an empty token. Raises InvalidInput for a bad one."""
    position = stream_id_of(token)
    if token and position is None:
        raise InvalidInput(Violation("resume_token", "is none that a service gave"), reason="INVALID_RESUME_TOKEN")
    return position
