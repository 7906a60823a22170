"""The limits in the documentation. The services enforce them, except for the two that the edge enforces itself."""

TITLE_MAX = 200
"""Characters of a title, at least one."""
DESCRIPTION_MAX = 10_000
"""Characters of a description."""
LABELS_MAX = 20
"""Labels of a task, and labels to filter by."""
LABEL_MAX = 50
"""Characters of a label, at least one."""
QUERY_MAX = 200
"""Characters of the text to search for."""
PAGE_SIZE_DEFAULT = 50
"""Items on a page if page_size is 0 or omitted."""
PAGE_SIZE_MAX = 200
"""Maximum items on a page; a larger page_size is reduced to this."""
IDEMPOTENCY_KEY_MAX = 255
"""Printable ASCII characters of an Idempotency-Key, at least one."""
MARK_READ_MAX = 1_000
"""Notifications that one request can mark as read."""

MAX_BODY_BYTES = 256 * 1024
"""Bytes of a request's body. Enforced by the edge."""
MAX_HEADER_BYTES = 32 * 1024
"""Bytes of a request's headers, names and values. Enforced by the edge."""

_CONTROL = r"\u0000-\u001f\u007f-\u009f"
_BREAK = r"\u2028\u2029"
_INVISIBLE = (
    r"\u0020\u00a0\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680\u17b4\u17b5"
    r"\u180b-\u180f\u2000-\u200f\u202a-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    # Not raw: ECMA-262 and Python have no common escape for these. JSON Schema patterns have the flag `u`.
    "\U000110bd\U000110cd\U00013430-\U0001343f\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
LINE_PATTERN = f"^[^{_CONTROL}{_BREAK}]*[^{_CONTROL}{_BREAK}{_INVISIBLE}][^{_CONTROL}{_BREAK}]*$"
"""Titles and labels: something visible, no control characters, no line or paragraph separators."""
TEXT_PATTERN = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$"
"""Descriptions: no control characters except tab, line feed and carriage return."""
QUERY_PATTERN = r"^[^\u0000]*$"
"""The text to search for: no NUL."""
IDEMPOTENCY_KEY_PATTERN = r"^[!-~]([ -~]*[!-~])?$"
"""An Idempotency-Key; HTTP strips leading and trailing spaces from header values."""
TIME_PATTERN = r"^(19[7-9][0-9]|[2-9][0-9]{3})-"
"""The years that a due_time can have: 1970 to 9999."""
