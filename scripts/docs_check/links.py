"""Checks the files, headings and make targets that pages refer to."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from scripts.docs_check.pages import Page
from scripts.docs_check.reference import commands

_FILE = re.compile(r"[\w.-]+(?:/[\w.*-]+)+\.(?:py|proto|yml|md|lua|ts|svelte|css|html|sql|conf|json|js|toml|txt|sh)")
_MAKE = re.compile(r"\bmake ([a-z][a-z-]*)")
_EXTERNAL = ("http://", "https://", "mailto:")
_CREATED_AT_RUNTIME = (".data/", ".secrets/", ".venv/", ".cache/")


def problems(root: Path, pages: Sequence[Page]) -> Iterator[str]:
    """The broken references of the pages."""
    anchors = {root / page.path: page.anchors() for page in pages}
    targets = {name for name, _ in commands(root)}
    for page in pages:
        for link in page.links():
            if not link.startswith(_EXTERNAL):
                yield from (f"{page.path}: {problem}" for problem in _broken(root / page.path, link, anchors))
        for span in sorted(page.spans() - page.creates()):
            if _FILE.fullmatch(span) and not _exists(root, page, span):
                yield f"{page.path}: there is no file {span}"
        code = "\n".join([*page.spans(), *re.findall(r"^\$ (.*)$", page.text, re.MULTILINE)])
        for name in sorted(set(_MAKE.findall(code)) - targets):
            yield f"{page.path}: there is no command make {name}"


def _broken(page: Path, link: str, anchors: dict[Path, set[str]]) -> Iterator[str]:
    file, _, anchor = link.partition("#")
    target = (page.parent / file).resolve() if file else page
    if target != page and not target.exists():
        yield f"the link {link} leads to a missing file"
    elif anchor and target.suffix == ".md" and anchor not in anchors.get(target, set()):
        yield f"the link {link} leads to a missing heading"


def _exists(root: Path, page: Page, file: str) -> bool:
    if file.startswith(_CREATED_AT_RUNTIME) or "*" in file:
        return True
    folder = (root / page.path).parent
    return any((base / file).exists() for base in (root, folder, root / "web/src", root / "web/src/lib", root / "web"))
