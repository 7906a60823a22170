"""Stream positions: the ids of Redis stream entries, and the resume tokens that represent them.

A resume token grants no access: a watcher sees only events that it may see without the token.
"""

import re

from chassis.errors import InvalidInput, Violation

StreamId = tuple[int, int]
"""The id of a stream entry: milliseconds since 1970, and a sequence number within the millisecond."""

_TOKEN = re.compile(r"(\d{1,15})-(\d{1,19})", re.ASCII)


def token_of(position: StreamId) -> str:
    """Return the token to resume after `position`; it is also the entry's id in the notation of Redis."""
    return f"{position[0]}-{position[1]}"


def stream_id_of(token: str) -> StreamId | None:
    """Return the position that a token represents, or None if it is malformed."""
    match = _TOKEN.fullmatch(token)
    return None if match is None else (int(match[1]), int(match[2]))


def resume_point(token: str) -> StreamId | None:
    """Return the position to resume after, or None for an empty token. Raises InvalidInput for a malformed token."""
    position = stream_id_of(token)
    if token and position is None:
        raise InvalidInput(Violation("resume_token", "is not a valid resume token"), reason="INVALID_RESUME_TOKEN")
    return position
