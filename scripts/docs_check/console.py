r"""Reads the commands of a page, and compares their output with the output that the page shows.

A `console` fence contains commands, each after `$ ` and followed by its output. A fence without commands shows lines
from the terminal of `make dev`. `<!-- not run: REASON -->` above a fence excludes it. Ids, times and durations are not
compared. `…` matches any text in a line, or any number of lines if it is alone.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<why>[^\n]*) -->\n)?^```console\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_VARYING = (
    (re.compile(r"\b0[0-7][0-9A-HJKMNP-TV-Z]{24}\b"), "<ulid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"), "<time>"),
    (re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"), "<time>"),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b[0-9a-f]{32}\b"), "<id>"),
    (re.compile(r"\b\d{13}-\d+\b"), "<entry>"),
    (re.compile(r"\b\d+(?:\.\d+)? ?(?:ms|s|KiB|MiB|GiB)\b"), "<measure>"),
    (re.compile(r"(duration\S*?[=:] ?)[0-9.e-]+"), r"\1<measure>"),
    (re.compile(r"\bprocess \d+\b"), "process <number>"),
    (re.compile(r"^retry: \d+", re.MULTILINE), "retry: <measure>"),
    (re.compile(r"(sid=)[\w.|+/=-]+"), r"\1<cookie>"),
)


@dataclass(frozen=True)
class Step:
    """One command and its output; without a command, lines of the output of `make dev`."""

    command: str
    expected: Sequence[str]


@dataclass(frozen=True)
class Block:
    """One fence: the position of its body in the page, and the reason if it is not run."""

    start: int
    end: int
    steps: Sequence[Step]
    not_run: str | None


def blocks(text: str) -> Iterator[Block]:
    """The `console` fences of a page."""
    for found in _BLOCK.finditer(text):
        yield Block(found.start("body"), found.end("body"), list(_steps(found["body"].splitlines())), found["why"])


def _steps(lines: Sequence[str]) -> Iterator[Step]:
    command, expected = "", list[str]()
    number = 0
    while number < len(lines):
        line = lines[number]
        if line.startswith("$ "):
            if command or expected:
                yield Step(command, expected)
            command, expected = line.removeprefix("$ "), []
            while command.endswith("\\"):
                number += 1
                command += f"\n{lines[number]}"
        else:
            expected.append(line)
        number += 1
    yield Step(command, expected)


def matches(expected: Sequence[str], actual: str) -> bool:
    """Whether the output `actual` matches the expected lines."""
    pattern = r"\n".join(_pattern(line) for line in _trimmed(expected))
    # `…` alone also matches no line; then the line feed before or after it is missing too.
    pattern = pattern.replace(r"\n<anything>", r"(?:\n.*)?").replace(r"<anything>\n", r"(?:.*\n)?")
    text = "\n".join(_trimmed(normalized(actual).splitlines()))
    return re.fullmatch(pattern.replace("<anything>", ".*"), text, re.DOTALL) is not None


def is_in(expected: Sequence[str], lines: Sequence[str]) -> bool:
    """Whether the expected lines occur in this order among `lines`, which can be those of several processes."""
    rest = iter(normalized(line).rstrip() for line in lines)
    wanted = [_pattern(line) for line in _trimmed(expected) if line.strip() != "…"]
    return all(any(re.fullmatch(pattern, line) for line in rest) for pattern in wanted)


def normalized(text: str) -> str:
    """The text with placeholders for the parts that differ between runs."""
    text = _ANSI.sub("", text)
    for varying, name in _VARYING:
        text = varying.sub(name, text)
    return text


def _pattern(line: str) -> str:
    if line.strip() == "…":
        return "<anything>"
    return r"[^\n]*".join(re.escape(part) for part in normalized(line).rstrip().split("…"))


def _trimmed(lines: Sequence[str]) -> list[str]:
    kept = [line.rstrip() for line in lines]
    while kept and not kept[-1]:
        kept.pop()
    return kept


def rewritten(text: str, block: Block, actual: Sequence[str]) -> str:
    """The text of the page with the actual output of each step of a block."""
    parts = []
    for step, written in zip(block.steps, actual, strict=True):
        lines = [line.rstrip() for line in _ANSI.sub("", written).splitlines()]
        parts += [*([f"$ {step.command}"] if step.command else []), *_trimmed(lines)]
    return text[: block.start] + "\n".join(parts) + "\n" + text[block.end :]
