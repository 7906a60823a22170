"""Finds definitions in source files by name, for the excerpts in docs/.

A name is a path from the outside in: `Tasks.create` in Python, `TaskService.CreateTask` in a proto, `services.api` in
YAML, where a list item is named by its `name` with hyphens instead of spaces, and a stage in a Dockerfile.
"""

import re
import textwrap
from collections.abc import Sequence
from pathlib import Path

PACKAGES = ("chassis", "*_svc", "edge_api")
"""The folders of the services and of their shared code."""
_DECLARATIONS = {
    ".py": r"\s*(?:(?:async )?def |class )?{}\b(?:[(:\[]| = )",
    ".proto": r"\s*(?:(?:service|message|enum|rpc) +{}\b|(?:[\w.]+ )*{} = \d+;)",
    ".yml": r"\s*(?:- )?(?:&\w+ )?(?:{}:|\{{? ?(?:name|username|alert): {}(?![\w-]))",
    ".ts": r"\s*(?:(?:export|async|static|function|class|interface|type|const) )*#?{}\b(?:\(.*[{{(]$|[ =:<{{;])",
    "": r"FROM .* AS {}$",
}
_COMMENT = ("# ", "//", "/**", "*", "@")
"""How comments and decorators above a definition begin."""
_CLOSING = (")", "]", "}")


class UnknownDefinition(Exception):
    """A definition or its file does not exist; the message names it."""


def excerpt(path: Path, name: str = "") -> str:
    """The text of a definition with the comment above it, or the whole file without a name. Raise UnknownDefinition."""
    if not path.is_file():
        msg = f"there is no file {path}"
        raise UnknownDefinition(msg)
    lines = path.read_text().splitlines()
    first, end = 0, len(lines)
    for part in name.split(".") if name else ():
        pattern = _DECLARATIONS[path.suffix].replace("{}", re.escape(part).replace(r"\-", "[ -]")).replace("{{", "{")
        found = [number for number in range(first, end) if re.match(pattern, lines[number])]
        if not found:
            msg = f"there is no {name} in {path}"
            raise UnknownDefinition(msg)
        outermost = min(found, key=lambda number: _indent(lines[number]))
        first, end = _block(lines, outermost, is_stage=not path.suffix)
    indent = _indent(lines[first])
    while name and first > 0 and _is_comment(lines[first - 1], indent):
        first -= 1
    return textwrap.dedent("\n".join(lines[first:end])) + "\n"


def _block(lines: Sequence[str], first: int, *, is_stage: bool) -> tuple[int, int]:
    """The first line of the definition that is declared in line `first`, and the line behind its last one."""
    if lines[first].lstrip().startswith("name:"):  # the second line of a YAML list item
        first -= 1
    indent, end = _indent(lines[first]), first + 1
    while end < len(lines):
        line = lines[end]
        is_closing = _indent(line) == indent and line.lstrip().startswith(_CLOSING)
        if is_stage and line.startswith("FROM "):
            break
        if not is_stage and line.strip() and _indent(line) <= indent and not is_closing:
            break
        end += 1
        if is_closing and not line.endswith((":", "{")):
            return first, end
    while not lines[end - 1].strip() or _is_comment(lines[end - 1], _indent(lines[end - 1])):
        end -= 1
    return first, end


def _is_comment(line: str, indent: int) -> bool:
    return 0 <= _indent(line) - indent <= 1 and line.lstrip().startswith(_COMMENT)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
