"""Finds definitions in the sources by their names, so that the course can show them as they are.

A name is dotted from the outside in: `Tasks.create` in Python, `TaskService.CreateTask` in a proto, `services.api` in
YAML, where an item of a list goes by its `name`, with hyphens for blanks; a target of a Makefile, a stage of a
Dockerfile, a function.
"""

import ast
import re
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

PACKAGES = ("chassis", "*_svc", "edge_api")
"""The folders of the services' code and of what they share."""


class UnknownDefinition(Exception):
    """There is no such definition; the message says where it was looked for."""


def excerpt(path: Path, name: str = "") -> str:
    """The text of a definition, its decorators and the comment above it included; without a name the whole file.

    Raises Unknown.
    """
    if not path.is_file():
        msg = f"there is no file {path}"
        raise UnknownDefinition(msg)
    text = path.read_text()
    if not name:
        return text
    lines = text.splitlines()
    span = _finder(path)(text, name.split("."))
    if span is None:
        msg = f"there is no {name} in {path}"
        raise UnknownDefinition(msg)
    first, end = span
    while end > first and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("# ==")):
        end -= 1
    return textwrap.dedent("\n".join(lines[_with_comment(lines, first) : end])) + "\n"


Span = tuple[int, int]
"""The first line, and the one behind the last."""


def _finder(path: Path) -> Callable[[str, Sequence[str]], Span | None]:
    match path.suffix:
        case ".py":
            return _python
        case ".proto":
            return _proto
        case ".yml" | ".yaml":
            return _yaml
    return {"Makefile": _makefile, "Dockerfile": _dockerfile}.get(path.name, _indented)


def _with_comment(lines: Sequence[str], first: int) -> int:
    indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
    while first > 0 and lines[first - 1].startswith((f"{indent}//", f"{indent}# ", f"{indent} *", f"{indent}/**")):
        first -= 1
    return first


def _python(text: str, names: Sequence[str]) -> Span | None:
    body, found = ast.parse(text).body, None
    for name in names:
        found = next((each for each in body if name in _named(each)), None)
        if found is None:
            return None
        body = getattr(found, "body", [])
    assert found is not None and found.end_lineno is not None  # noqa: PT018, S101 (there was a name)
    decorators = getattr(found, "decorator_list", [])
    return min(each.lineno for each in (found, *decorators)) - 1, found.end_lineno


def _named(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _proto(text: str, names: Sequence[str]) -> Span | None:
    lines = text.splitlines()
    first, end = 0, len(lines)
    for name in names:
        declared = re.compile(rf"\s*(?:(?:service|message|enum|rpc) +{name}\b|(?:[\w.]+ )*{name} = \d+;)")
        found = next((number for number in range(first, end) if declared.match(lines[number])), None)
        if found is None:
            return None
        first, end = found, _closing(lines, found)
    return first, end


def _closing(lines: Sequence[str], first: int) -> int:
    """The line behind the end of what begins at `first`, which is closed where it is indented as it began."""
    opening = lines[first].rstrip()
    if not opening.endswith(("{", "(", "[")):
        return first + 1
    indent = opening[: len(opening) - len(opening.lstrip())]
    closed = re.compile(rf"{indent}[}}\])]")
    return next((n + 1 for n in range(first + 1, len(lines)) if closed.match(lines[n])), len(lines))


def _yaml(text: str, names: Sequence[str]) -> Span | None:
    node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    first = 0
    for name in names:
        found = next((each for each in _children(node) if each[0].replace(" ", "-") == name), None)
        if found is None:
            return None
        _, first, node = found
    assert node is not None  # noqa: S101 (it has children)
    # A block ends where the next one begins, all else in the middle of its own last line.
    is_block = isinstance(node, yaml.CollectionNode) and not node.flow_style
    lines, end = text.splitlines(), node.end_mark.line + (not is_block)
    while end > first + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return first, end


def _children(node: yaml.Node | None) -> list[tuple[str, int, yaml.Node]]:
    """Name, first line and value of what a mapping or a list of named mappings holds."""
    if isinstance(node, yaml.MappingNode):
        return [(key.value, key.start_mark.line, value) for key, value in node.value]
    if isinstance(node, yaml.SequenceNode):
        return [
            (value.value, item.start_mark.line, item)
            for item in node.value
            if isinstance(item, yaml.MappingNode)
            for key, value in item.value
            if key.value in ("name", "username", "alert") and isinstance(value, yaml.ScalarNode)
        ]
    return []


def _makefile(text: str, names: Sequence[str]) -> Span | None:
    lines = text.splitlines()
    first = next((number for number, line in enumerate(lines) if line.startswith(f"{names[0]}:")), None)
    if first is None:
        return None
    return first, next((number for number in range(first, len(lines)) if not lines[number].strip()), len(lines))


def _dockerfile(text: str, names: Sequence[str]) -> Span | None:
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("FROM ")]
    first = next((number for number in starts if lines[number].endswith(f" AS {names[0]}")), None)
    if first is None:
        return None
    end = next((number for number in starts if number > first), len(lines))
    while end > first and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1
    return first, end


def _indented(text: str, names: Sequence[str]) -> Span | None:
    """For TypeScript, Svelte, nginx and shell as their formatters leave them: a definition ends where it closes."""
    lines = text.splitlines()
    first, end = 0, len(lines)
    for name in names:
        words = r"(?:(?:export|default|async|static|private|readonly|get|set) )*"
        kinds = r"(?:function|class|interface|type|const|let|location(?: [=~^]+)?) #?"
        declared = re.compile(rf"\s*{words}(?:{kinds}{re.escape(name)}[\s=(<:{{;]|#?{re.escape(name)}\(.*[{{(]$)")
        found = next((number for number in range(first, end) if declared.match(lines[number])), None)
        if found is None:
            return None
        first, end = found, _closing(lines, found)
    return first, end
