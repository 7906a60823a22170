"""Reads the Markdown of the course: its fences, its links, and what it names in code spans."""

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^(?P<ticks>```+)(?P<language>[\w-]*)\n(?P<body>.*?)^(?P=ticks)$", re.MULTILINE | re.DOTALL)
EXCERPT = re.compile(
    r"^<!-- code: (?P<file>\S+)(?: (?P<name>\S+))? -->\n(?:.*?\n)??<!-- end -->$", re.MULTILINE | re.DOTALL
)
CHANGE = re.compile(r"^`(?P<file>[\w./@-]+)`[^\n]*:\n\n```diff\n(?P<hunks>.*?)^```$", re.MULTILINE | re.DOTALL)
"""A change that a page has its reader make to a file."""
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"\]\(<?([^)\s>]+)>?\)|(?:src|srcset|href)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#+ +(.*?)\s*$", re.MULTILINE)
_NO_SLUG = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class Page:
    """A file of Markdown; `path` is relative to the project's root."""

    path: Path
    text: str

    @property
    def prose(self) -> str:
        """The text without fences."""
        return FENCE.sub("", self.text)

    def spans(self) -> set[str]:
        """What stands between backticks."""
        return set(_SPAN.findall(self.prose))

    def creates(self) -> set[str]:
        """The files that the page has its reader make: all lines of such a change are new."""
        changes = CHANGE.finditer(self.text)
        return {each["file"] for each in changes if all(line[0] == "+" for line in each["hunks"].splitlines())}

    def links(self) -> list[str]:
        """Where links and images lead, as they are written."""
        return [one or other for one, other in _LINK.findall(_SPAN.sub("", self.prose))]

    def anchors(self) -> set[str]:
        """The names by which the headings can be linked to."""
        return {slug(heading) for heading in _HEADING.findall(self.prose)}


def slug(heading: str) -> str:
    """The anchor that a code host gives a heading."""
    return _NO_SLUG.sub("", heading.replace("`", "").lower()).replace(" ", "-")


def read(root: Path, *patterns: str) -> list[Page]:
    """The pages that these patterns match, in the order of their names."""
    found = {path for pattern in patterns for path in root.glob(pattern)}
    return [Page(path.relative_to(root), path.read_text()) for path in sorted(found)]


def course(root: Path) -> list[Page]:
    """The pages of the course and its neighbours, which explain."""
    return read(root, "docs/*.md")


def how_to(root: Path) -> list[Page]:
    """The pages that say how to do something."""
    return read(root, "docs/how-to/*.md")


def followed(root: Path) -> list[Page]:
    """The pages whose commands are run on a system that is up."""
    others = read(root, "README.md", "kong/README.md", "web/README.md", "monitoring/README.md")
    return [*others, *course(root), *read(root, "docs/how-to/call-it-from-your-language.md")]
