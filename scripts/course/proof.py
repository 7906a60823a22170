"""docs/proof.md: what proves each claim of README.md and docs/architecture.md, as docs/claims.yml says it.

Every sentence has an entry there, or more: a piece of the page's text with `by`, the tests that prove it; `workflow`,
the step of continuous integration that does; `not`, why nothing does; or `tells`, why it claims nothing that a test
could show. A piece may be several sentences. One that is no longer in the page, a test that does not exist, a sentence
without an entry: each of these fails.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from scripts.course.pages import Page

CLAIMS = Path("docs/claims.yml")
PROOF = Path("docs/proof.md")
_KINDS = {"by": "proven here", "workflow": "proven by the workflow", "not": "not proven", "tells": "no claim"}
_NOT_PROSE = re.compile(r"^(?:#|\||<|!\[|---)")
_COMMENT = re.compile(r"^<!--.*-->$", re.MULTILINE)
_ITEM = re.compile(r"^\s*(?:[-*]|\d+\.) ")
_SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[A-Z`'\"(])")
_TABLE_OF = "| claim | proof |\n|---|---|"

Entry = Mapping[str, str | list[str]]


class Unproven(Exception):
    """docs/claims.yml does not fit the pages or the tests; the message has a line for each fault."""


@dataclass(frozen=True)
class Skip:
    """A test, or a file of them, that is skipped where something is missing."""

    where: str
    why: str


def page(root: Path) -> str:
    """The text of docs/proof.md. Raises Unproven."""
    claims: Mapping[str, Sequence[Entry]] = yaml.safe_load((root / CLAIMS).read_text())
    faults = [fault for name, entries in claims.items() for fault in _faults(root, name, entries)]
    if faults:
        raise Unproven("\n".join(faults))
    return "\n".join(_lines(root, claims)) + "\n"


def _faults(root: Path, name: str, entries: Sequence[Entry]) -> Iterator[str]:
    paragraphs = list(prose(Page(Path(name), (root / name).read_text())))
    pieces = [_plain(str(entry["claim"])) for entry in entries]
    for piece in pieces:
        if not any(piece in paragraph for paragraph in paragraphs):
            yield f"{CLAIMS}: {name} does not say: {piece}"
    for sentence in (each for paragraph in paragraphs for each in _SENTENCE_END.split(paragraph)):
        if not any(piece in sentence or sentence in piece for piece in pieces):
            yield f"{CLAIMS} says nothing of this in {name}: {sentence}"
    known = tests(root)
    for entry in entries:
        kinds = [kind for kind in _KINDS if entry.get(kind)]
        if len(kinds) != 1:
            yield f"{CLAIMS}: one of {', '.join(_KINDS)} is needed for: {entry['claim']}"
        for test in entry.get("by", ()):
            if test not in known:
                yield f"{CLAIMS}: there is no test {test}"
            elif _is_skipped_here(root / test.partition("::")[0]):
                yield f"{CLAIMS}: {test} is skipped without what the workflow has, so it proves nothing here"


def prose(page: Page) -> Iterator[str]:
    """The paragraphs and items of a page, each as one line without marks."""
    for block in re.split(r"\n\s*\n|\n(?=[-*] |\d+\. )", _COMMENT.sub("", page.prose)):
        if block.strip() and not _NOT_PROSE.match(block.strip()):
            yield _plain(_ITEM.sub("", block))


def _plain(text: str) -> str:
    return " ".join(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("<", "").replace(">", "").split())


def tests(root: Path) -> set[str]:
    """The names of all tests, as `tests/unit/test_x.py::test_y`, and of the files that hold them."""
    names: set[str] = set()
    for path in sorted(root.glob("tests/**/test_*.py")):
        file = str(path.relative_to(root))
        functions = [each for each in ast.walk(ast.parse(path.read_text())) if _is_function(each)]
        names |= {file, *(f"{file}::{each.name}" for each in functions if each.name.startswith("test"))}  # type: ignore[attr-defined]
    return names


def _is_skipped_here(path: Path) -> bool:
    return "\npytestmark = pytest.mark.skipif(" in path.read_text()


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def skips(root: Path) -> Iterator[Skip]:
    """What may be skipped, and why: every `skip` and `skipif` in tests/."""
    for path in sorted(root.glob("tests/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("skip", "skipif")
            ):
                given = [*(each.value for each in node.keywords if each.arg == "reason"), *node.args]
                why = next((each for each in given if isinstance(each, ast.Constant | ast.JoinedStr)), None)
                text = ast.unparse(why).strip("'\"") if why is not None else "no reason given"
                yield Skip(f"{path.relative_to(root)}:{node.lineno}", text.removeprefix("f'").removeprefix('f"'))


def _lines(root: Path, claims: Mapping[str, Sequence[Entry]]) -> Iterator[str]:
    yield "<!-- Made by `make docs` of claims.yml; do not edit. -->\n# What is proven\n"
    yield "What the pages claim, and what proves it. *Proven here* names tests that anybody can run; *proven by the"
    yield "workflow* needs what only continuous integration has, and its last run tells; *not proven* says why.\n"
    for name, entries in claims.items():
        yield f"## {name}\n\n{_TABLE_OF}"
        for entry in entries:
            kind = next(kind for kind in _KINDS if entry.get(kind))
            if kind != "tells":
                yield f"| {_cell(_plain(str(entry['claim'])))} | {_told(kind, entry)} |"
        yield ""
    yield "## Tests that may be skipped\n\nWhere what they need is missing; pytest prints each, with its reason.\n"
    yield "| where | why |\n|---|---|"
    for skip in skips(root):
        file = skip.where.rpartition(":")[0]
        yield f"| [`{file}`](../{file}) | {_cell(skip.why)} |"


def _told(kind: str, entry: Entry) -> str:
    if kind != "by":
        return f"**{_KINDS[kind]}**: {_cell(str(entry[kind]))}"
    files = [(test.partition("::")[0], test.partition("::")[2]) for test in entry["by"]]
    return "<br>".join(f"[`{name or file}`](../{file})" for file, name in files)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
