"""The rules of Unicode text: what a user can see, what fits on one line, which texts are equal, what a search finds."""

import re
import unicodedata

# White space, control and format characters, default-ignorable code points (Unicode Standard, 5.21), and characters
# that look blank. `edge_api.schemas.limits` documents the same characters; a test compares them.
_INVISIBLE = re.compile(
    r"[\x20\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f"
    r"\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U000110bd\U000110cd\U00013430-\U0001343f\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff\x00-\x1f\x7f-\x9f]*"
)
_DOTLESS_I = "\u0131"
_NOT_IN_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOT_IN_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def is_invisible(text: str) -> bool:
    """Return whether a user would see nothing of the text."""
    return _INVISIBLE.fullmatch(text) is not None


def control_character(text: str, *, one_line: bool) -> str:
    """Return the first control character of the text with its place, as in "U+0009 at character 5", or "".

    In one line, line and paragraph separators count too. In several lines, tab, line feed and carriage return do not.
    """
    found = (_NOT_IN_A_LINE if one_line else _NOT_IN_LINES).search(text)
    return f"U+{ord(found[0]):04X} at character {found.start() + 1}" if found else ""


def nfc(text: str) -> str:
    """Return the composed form (Unicode normalization form C). Canonically equivalent texts have the same."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    """Return the form in which a query is compared: without case, combining marks, and compatibility variants.

    The letters i with and without a dot are equal. web/src/lib/filters/folded.ts does the same for the page. Both are
    tested with folded.cases.json.
    """
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    marks = {ord(each): None for each in set(decomposed) if unicodedata.category(each).startswith("M")}
    return decomposed.translate(marks).casefold().replace(_DOTLESS_I, "i")
