"""`python -m scripts.docs_check check | write`: compare generated pages and .env.example with their sources.

`write` updates them first. Both check the links, and exit with status 1 if they find a problem.
"""

import difflib
import sys
from collections.abc import Iterator
from pathlib import Path

from scripts.docs_check import excerpts, links, pages, reference, settings, sources

ROOT = Path(__file__).parents[2]
_SHOWN = 6
"""The maximum number of changed lines to print for a page."""


def main(arguments: list[str]) -> int:
    """Check or write; return the exit status."""
    if arguments not in (["check"], ["write"]):
        sys.stderr.write("usage: python -m scripts.docs_check check | write\n")
        return 2
    try:
        made = generated(ROOT)
    except (sources.UnknownDefinition, settings.Undescribed) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if arguments == ["write"]:
        for path, text in made.items():
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(text)
    found = [*_stale(ROOT, made), *links.problems(ROOT, _all_pages(ROOT))]
    sys.stderr.writelines(f"{problem}\n" for problem in found)
    return 1 if found else 0


def generated(root: Path) -> dict[Path, str]:
    """The text of each page that is generated or has generated parts."""
    shown = {page.path: excerpts.filled(root, page) for page in [*pages.course(root), *pages.how_to(root)]}
    return {**shown, **reference.pages(root), settings.ENV_EXAMPLE: settings.env_example(root)}


def _stale(root: Path, made: dict[Path, str]) -> Iterator[str]:
    for path, text in made.items():
        written = (root / path).read_text() if (root / path).exists() else ""
        if written != text:
            _, _, *changed = difflib.unified_diff(written.split("\n"), text.split("\n"), n=0, lineterm="")
            yield "\n  ".join([f"{path} differs from its sources (run make docs):", *changed[:_SHOWN]])


def _all_pages(root: Path) -> list[pages.Page]:
    return pages.read(root, "*.md", "docs/**/*.md", "kong/**/*.md", "web/*.md", "monitoring/**/*.md")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
