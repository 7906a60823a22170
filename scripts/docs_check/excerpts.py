"""Inserts code from the sources into pages.

The text between `<!-- code: task_svc/use_cases.py Tasks.create -->` and `<!-- end -->`, each on its own line, is
generated: a link to the file, and the definition.
"""

import os
import re
from pathlib import Path

from scripts.docs_check import sources
from scripts.docs_check.pages import EXCERPT, Page

_LANGUAGES = {
    ".go": "go",
    ".lua": "lua",
    ".proto": "protobuf",
    ".py": "python",
    ".svelte": "svelte",
    ".ts": "ts",
    ".yaml": "yaml",
    ".yml": "yaml",
}
_OTHERS = {"Makefile": "make", "Dockerfile": "dockerfile", "nginx.conf": "nginx"}


def filled(root: Path, page: Page) -> str:
    """The text of the page with current excerpts. Raise `sources.UnknownDefinition`."""
    return EXCERPT.sub(lambda place: _shown(root, page, place), page.text)


def _shown(root: Path, page: Page, place: re.Match[str]) -> str:
    file, name = place["file"], place["name"]
    try:
        code = sources.excerpt(root / file, name or "")
    except sources.UnknownDefinition as error:
        msg = f"{page.path}: {error}"
        raise sources.UnknownDefinition(msg) from None
    path = Path(file)
    language = _OTHERS.get(path.name, _LANGUAGES.get(path.suffix, "text"))
    link = os.path.relpath(path, page.path.parent)
    caption = f"[`{file}`]({link})" + (f" · `{name}`" if name else "")
    opening = place[0].partition("\n")[0]
    return f"{opening}\n{caption}\n\n```{language}\n{code}```\n\n<!-- end -->"
