"""Reads Markdown pages: fences, links, headings, and code spans."""

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^(?P<ticks>```+)(?P<language>[\w-]*)\n(?P<body>.*?)^(?P=ticks)$", re.MULTILINE | re.DOTALL)
EXCERPT = re.compile(
    r"^<!-- code: (?P<file>\S+)(?: (?P<name>\S+))? -->\n(?:.*?\n)??<!-- end -->$", re.MULTILINE | re.DOTALL
)
CHANGE = re.compile(r"^`(?P<file>[\w./@-]+)`[^\n]*:\n\n```diff\n(?P<hunks>.*?)^```$", re.MULTILINE | re.DOTALL)
"""A diff that the reader of a page applies to a file."""
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
        """The text of the code spans."""
        return set(_SPAN.findall(self.prose))

    def creates(self) -> set[str]:
        """The files that the reader of the page creates: diffs with new lines only."""
        changes = CHANGE.finditer(self.text)
        return {each["file"] for each in changes if all(line[0] == "+" for line in each["hunks"].splitlines())}

    def links(self) -> list[str]:
        """The targets of links and images, as written."""
        return [one or other for one, other in _LINK.findall(_SPAN.sub("", self.prose))]

    def anchors(self) -> set[str]:
        """The anchors of the headings."""
        return {slug(heading) for heading in _HEADING.findall(self.prose)}


def slug(heading: str) -> str:
    """The anchor that GitHub generates for a heading."""
    return _NO_SLUG.sub("", heading.replace("`", "").lower()).replace(" ", "-")


def read(root: Path, *patterns: str) -> list[Page]:
    """The pages that match the patterns, sorted by path."""
    found = {path for pattern in patterns for path in root.glob(pattern)}
    return [Page(path.relative_to(root), path.read_text()) for path in sorted(found)]


def course(root: Path) -> list[Page]:
    """The pages directly in docs/: the course, and explanations."""
    return read(root, "docs/*.md")


def how_to(root: Path) -> list[Page]:
    """The how-to pages."""
    return read(root, "docs/how-to/*.md")


def followed(root: Path) -> list[Page]:
    """The pages whose commands tests run against a running system."""
    others = read(root, "README.md", "kong/README.md", "web/README.md", "monitoring/README.md")
    return [*others, *course(root), *read(root, "docs/how-to/call-it-from-your-language.md")]
