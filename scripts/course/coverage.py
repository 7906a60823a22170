"""Which definitions the course explains: each is named in a page, or is an exception with its reason.

Definitions are the messages, enums, services and RPCs of protos/, the public classes and functions of the services, and
the blocks of kong.yml. One is named by a code span that holds its name, dotted as far as it must be to mean nothing
else (`domain.create`, for there is an `edge_api` too that creates), or by an excerpt of it.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from scripts.course.pages import Page
from scripts.course.sources import PACKAGES

EXCEPTIONS = Path("docs/unexplained.yml")
_DECLARED = re.compile(r"^(?:message|enum|service) (\w+) \{\n(.*?)^\}|^(?:message|enum) (\w+) \{\}", re.M | re.S)
_KONG = "kong.yml"


@dataclass(frozen=True)
class Coverage:
    """How much is explained: all definitions, those that a page names, those excepted, and what is wrong."""

    everything: Sequence[str]
    explained: frozenset[str]
    excepted: frozenset[str]
    problems: Sequence[str]

    def __str__(self) -> str:
        share = 100 * len(self.explained) / max(1, len(self.everything))
        return (
            f"{len(self.explained)} of {len(self.everything)} definitions are explained ({share:.0f} %), "
            f"{len(self.excepted)} are exceptions with a reason"
        )


def measure(root: Path, pages: Sequence[Page]) -> Coverage:
    """Compares the definitions with what the pages name, and with the exceptions in docs/unexplained.yml."""
    everything = [*_of_protos(root), *_of_python(root), *_of_kong(root)]
    named = _named(pages)
    explained = {name for name in everything if _suffixes(name, everything) & named}
    reasons: Mapping[str, str] = yaml.safe_load((root / EXCEPTIONS).read_text()) or {}
    excepted = {name for name in everything if any(fnmatchcase(name, pattern) for pattern in reasons)} - explained
    problems = [f"{name} is explained nowhere" for name in everything if name not in explained | excepted]
    for pattern, reason in reasons.items():
        if not any(fnmatchcase(name, pattern) for name in everything if name not in explained):
            problems.append(f"{EXCEPTIONS}: {pattern} excepts nothing")
        if not str(reason or "").strip():
            problems.append(f"{EXCEPTIONS}: {pattern} has no reason")
    return Coverage(everything, frozenset(explained), frozenset(excepted), problems)


def _named(pages: Sequence[Page]) -> set[str]:
    named: set[str] = set()
    for page in pages:
        spans = {span.removesuffix("()") for span in page.spans()}
        named |= spans
        shown = list(page.excerpts())
        named |= {_dotted(file, name) for file, name in shown}
        named |= {
            _dotted(file, name.rpartition(".")[0]) for file, name in shown if file.endswith(".py") and "." in name
        }
        if any(file == "kong/kong.yml" for file, _ in shown):
            named |= {f"{_KONG}.{kind}.{span}" for span in spans for kind in ("services", "routes", "plugins")}
    return named


def _dotted(file: str, name: str) -> str:
    """How a definition is called that an excerpt shows."""
    path = Path(file)
    if path.suffix == ".py":
        return ".".join((*path.with_suffix("").parts, name))
    if path.suffix == ".proto":
        return ".".join((*path.parent.parts[1:], name))
    kind, last = ["", *name.split(".")][-2:]
    return f"{_KONG}.{kind}.{last}" if path.name == _KONG else name


def _suffixes(name: str, everything: Sequence[str]) -> set[str]:
    """The ways to write a name that mean no other; one word alone only where it cannot be a word of English."""
    parts = name.split(".")
    ends = [".".join(parts[first:]) for first in range(len(parts))]
    last = re.search(r"[A-Z_]", parts[-1]) is not None
    return {
        end
        for end in ends
        if ("." in end or last) and sum(other == end or other.endswith(f".{end}") for other in everything) == 1
    }


def _of_protos(root: Path) -> Iterator[str]:
    for path in sorted(root.glob("protos/*/*/*.proto")):
        text = path.read_text()
        (package,) = re.findall(r"^package (.*);", text, re.MULTILINE)
        for name, body, empty in _DECLARED.findall(text):
            yield f"{package}.{name or empty}"
            yield from (f"{package}.{name}.{rpc}" for rpc in re.findall(r"^  rpc (\w+)\(", body, re.MULTILINE))


def _of_python(root: Path) -> Iterator[str]:
    for path in (path for package in PACKAGES for path in sorted(root.glob(f"{package}/*.py"))):
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if not node.name.startswith("_"):
                yield ".".join((*path.relative_to(root).with_suffix("").parts, node.name))


def _of_kong(root: Path) -> Iterator[str]:
    told = yaml.safe_load((root / "kong/kong.yml").read_text())
    routes = [route for service in told["services"] for route in service["routes"]]
    holders = [*told["services"], *routes, told, *told["consumers"]]
    yield from (f"{_KONG}.services.{service['name']}" for service in told["services"])
    yield from (f"{_KONG}.routes.{route['name']}" for route in routes)
    plugins = {plugin["name"] for holder in holders for plugin in holder.get("plugins", ())}
    yield from (f"{_KONG}.plugins.{name}" for name in sorted(plugins))
    yield from (f"{_KONG}.consumers.{consumer['username']}" for consumer in told["consumers"])
