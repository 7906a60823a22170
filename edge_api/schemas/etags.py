"""Entity tags as RFC 9110 writes them: quoted, perhaps weak, perhaps in a list; the services know them bare."""

import re

from chassis.errors import InvalidInput, Violation

_STRONG = re.compile(r'"([!#-~]+)"')
_LISTED = re.compile(r'(?:W/)?"([!#-~\x80-\xff]*)"')

STRONG_PATTERN = r'^"[!#-~]+"$'
"""The etags of tasks."""
IF_MATCH_PATTERN = r'^(\*|"[!#-~]+")$'
"""What `condition` accepts."""


def condition(if_match: str | None) -> str:
    """The etag that a change depends on; empty when it depends on none, as `*` means of a resource that exists.

    Raises InvalidInput for a list, a weak etag, or anything else but one strong etag.
    """
    if if_match is None or if_match == "*":
        return ""
    match = _STRONG.fullmatch(if_match)
    if match is None:
        raise InvalidInput(Violation("If-Match", 'must be * or one strong etag in quotes, like "r1"'))
    return match[1]


def none_match(if_none_match: str | None, etag: str) -> bool:
    """Whether the client has this revision already, by weak comparison (RFC 9110, 13.1.2)."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or etag in _LISTED.findall(if_none_match)
