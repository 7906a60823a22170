"""Parse entity tags (RFC 9110), which HTTP quotes and the services do not."""

import re

from chassis.errors import InvalidInput, Violation

_STRONG = re.compile(r'"([!#-~]+)"')
_LISTED = re.compile(r'(?:W/)?"([!#-~\x80-\xff]*)"')

STRONG_PATTERN = r'^"[!#-~]+"$'
"""The pattern of a task's ETag header."""
IF_MATCH_PATTERN = r'^(\*|"[!#-~]+")$'
"""The pattern of the If-Match headers that `condition` accepts."""


def condition(if_match: str | None) -> str:
    """Return the etag that a change requires; empty if there is no header or it is `*`, which matches any revision.

    Raises InvalidInput for a list, a weak etag, or any other value that is not one strong etag.
    """
    if if_match is None or if_match == "*":
        return ""
    match = _STRONG.fullmatch(if_match)
    if match is None:
        raise InvalidInput(Violation("If-Match", 'must be * or one strong etag in quotes, such as "r1"'))
    return match[1]


def none_match(if_none_match: str | None, etag: str) -> bool:
    """Return whether the client already has this revision, by weak comparison (RFC 9110, 13.1.2)."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or etag in _LISTED.findall(if_none_match)
