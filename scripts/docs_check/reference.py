"""The reference pages, made of what they are about: protos, OpenAPI, settings, the code's metrics, Makefile."""

import ast
import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import py_grpc_prometheus
import yaml
from prometheus_client import CollectorRegistry

from chassis.grpc_api.client import ClientMetrics
from chassis.grpc_api.telemetry import ServerMetrics
from edge_api import openapi
from scripts.docs_check import limits, settings
from scripts.docs_check.sources import PACKAGES

_NOTE = "<!-- Made by `make docs`; do not edit. -->"
_COMMENT = r"((?:^ *//[^\n]*\n)*)"
_SERVICE = re.compile(rf"{_COMMENT}^service (\w+) \{{\n(.*?)^\}}", re.MULTILINE | re.DOTALL)
_RPC = re.compile(rf"{_COMMENT}^  rpc (\w+)\((\w+)\) returns \((stream )?(\w+)\);", re.MULTILINE)
_TARGET = re.compile(r"^([a-z-]+):.*?## (.*)$", re.MULTILINE)
_METRICS = ("counter", "gauge", "histogram")


def pages(root: Path) -> dict[Path, str]:
    """The text of each reference page by its path under `root`."""
    made = {
        "rpcs": _page("The RPCs", _rpcs(root)),
        "rest": _page("The REST interface", _rest()),
        "limits": _page("The limits", _limits(root)),
        "settings": _page("The settings", _settings(root)),
        "metrics": _page("The metrics", _metrics(root)),
        "alerts": _page("The alerts", _alerts(root)),
        "make": _page("The commands", _make(root)),
    }
    return {Path(f"docs/reference/{name}.md"): text for name, text in made.items()}


def commands(root: Path) -> list[tuple[str, str]]:
    """The targets of the Makefile, with what each does."""
    return _TARGET.findall((root / "Makefile").read_text())


def services(root: Path) -> Iterator[tuple[str, str, str]]:
    """Each gRPC service: its full name, its comment and its body."""
    for proto in sorted(root.glob("protos/*/*/*.proto")):
        text = proto.read_text()
        (package,) = re.findall(r"^package (.*);", text, re.MULTILINE)
        for comment, name, body in _SERVICE.findall(text):
            yield f"{package}.{name}", _uncommented(comment), body


def _page(title: str, lines: Iterator[str]) -> str:
    return "\n".join([_NOTE, f"# {title}", "", *lines]).rstrip() + "\n"


def _rpcs(root: Path) -> Iterator[str]:
    yield "What [`protos/`](../../protos) says. Every message and field has its comment there."
    for name, comment, body in services(root):
        yield from ("", f"## {name}", "", comment, "")
        for about, rpc, asked, stream, answered in _RPC.findall(body):
            yield from (f"### {rpc}", "", f"`{asked}` → {'a stream of ' if stream else ''}`{answered}`", "")
            yield from (_uncommented(about), "")


def _uncommented(comment: str) -> str:
    text = "\n".join(line.strip().removeprefix("//").removeprefix(" ") for line in comment.splitlines())
    return textwrap.dedent(text).strip()


def _rest() -> Iterator[str]:
    document = openapi.document()
    yield document["info"]["description"]
    yield "The whole document is at `/api/openapi.json`, its page at `/api/docs`."
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield from ("", f"## {method.upper()} {path}", "", str(operation["description"]), "")
            yield from _operation(operation)
    yield from ("", "## The bodies")
    for name, schema in document["components"]["schemas"].items():
        yield from ("", f"### {name}", "", schema["description"], "", "| field | type | description |", "|---|---|---|")
        for field, described in schema["properties"].items():
            # The API returns every field; clients may omit some of those that they send.
            is_sent = schema.get("additionalProperties") is False
            required = " (required)" if is_sent and field in schema.get("required", ()) else ""
            yield f"| `{field}`{required} | {_type(described)} | {_cell(described.get('description', ''))} |"


def _operation(operation: dict[str, Any]) -> Iterator[str]:
    for parameter in operation.get("parameters", ()):
        yield f"- {parameter['in']} `{parameter['name']}`: {parameter.get('description', '').replace(chr(10), ' ')}"
    contents = operation.get("requestBody", {}).get("content", {}).values()
    yield from dict.fromkeys(f"- body: {_type(content['schema'])}" for content in contents)
    for status, answer in sorted(operation["responses"].items()):
        schema = answer.get("content", {}).get("application/json", {}).get("schema")
        body = f" Body: {_type(schema)}." if schema else ""
        yield f"- **{status}**: {answer['description'].replace(chr(10), ' ').rstrip('.')}.{body}"


def _type(schema: dict[str, Any]) -> str:
    """A JSON schema in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in sorted(schema["anyOf"], key=lambda each: each != {"type": "null"}))
    if words := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        return ", ".join(f"`{json.dumps(word)}`" for word in words)
    if schema["type"] == "array":
        return f"a list{_bounds(schema, ' of {} to {}', 'Items')}: {_type(schema['items'])}"
    limits = _bounds(schema, ", {} to {} characters", "Length") + _bounds(schema, ", {} to {}", "imum")
    return f"{schema.get('format') or schema['type']}{limits}"


def _bounds(schema: dict[str, Any], text: str, kind: str) -> str:
    most = schema.get(f"max{kind}")
    return text.format(f"{schema.get(f'min{kind}', 0):,.0f}", f"{most:,.0f}") if most is not None else ""


def _limits(root: Path) -> Iterator[str]:
    yield "The limits that a client can meet, with the defaults of the settings. Each process counts for itself."
    for heading, rows in limits.sections(root).items():
        yield from ("", f"## {heading}", "", "| what | limit | beyond it |", "|---|---|---|")
        yield from (f"| {row.what} | {row.value} | {row.beyond} |" for row in rows)
    yield from ("", "## Fields and parameters", "")
    yield from ("Beyond them REST answers 422 and gRPC INVALID_ARGUMENT, unless the table says otherwise.", "")
    yield from ("| limit | what it counts |", "|---|---|")
    yield from (f"| {value} | {about} |" for value, about in limits.fields(root))


def _settings(root: Path) -> Iterator[str]:
    yield "[`.env.example`](../../.env.example) has the same; none has to be set."
    for heading, described in settings.sections(root).items():
        yield from ("", f"## {heading}", "", "| variable | default | description |", "|---|---|---|")
        for each in described:
            about = " ".join(each.description.split())
            yield f"| `{each.name}` | {f'`{each.default}`' if each.default else ''} | {_cell(about)} |"


def _metrics(root: Path) -> Iterator[str]:
    yield "Every service has its page `/metrics`. The families of gRPC are those of py-grpc-prometheus."
    found = {name: (kind, labels, about) for name, kind, labels, about in metrics(root)}
    yield from ("", "| metric | kind | labels | what it is |", "|---|---|---|---|")
    for name, (kind, labels, about) in sorted(found.items()):
        yield f"| `{name}` | {kind} | {', '.join(f'`{each}`' for each in labels)} | {_cell(about)} |"


def metrics(root: Path) -> Iterator[tuple[str, str, list[str], str]]:
    """Every metric that the services define: its name, kind, labels and description."""
    for path in (path for package in PACKAGES for path in sorted(root.glob(f"{package}/**/*.py"))):
        yield from _metrics_in(path)
    package = Path(py_grpc_prometheus.__file__).parent
    used = CollectorRegistry()
    ServerMetrics(used), ClientMetrics(used)
    names = {family.name for family in used.collect()}
    for path in (package / "server_metrics.py", package / "client_metrics.py"):
        for name, kind, labels, about in _metrics_in(path):
            # Nothing feeds its older forms, and those that time single messages.
            is_fed = "code" not in labels and not re.search(r"latency|msg_\w+_handling", name)
            if is_fed and name.removesuffix("_total") in names:
                yield name, kind, labels, about


def _metrics_in(path: Path) -> Iterator[tuple[str, str, list[str], str]]:
    tree = ast.parse(path.read_text())
    shared = {each.name: _listed(each) for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}
    for call in (each for each in ast.walk(tree) if isinstance(each, ast.Call) and isinstance(each.func, ast.Name)):
        assert isinstance(call.func, ast.Name)  # noqa: S101 (asked above)
        texts = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if call.func.id.lower() in _METRICS and len(texts) > 1:
            name, about, *labels = texts
            yield name, call.func.id.lower(), _listed(call) or labels or shared.get(call.func.id, []), about


def _listed(node: ast.AST) -> list[str]:
    """What stands in the lists of a call, or of a function that makes metrics for others."""
    lists = [each for each in ast.walk(node) if isinstance(each, ast.List)]
    return [str(each.value) for found in lists for each in found.elts if isinstance(each, ast.Constant)]


def _alerts(root: Path) -> Iterator[str]:
    yield "What [the rules](../../monitoring/prometheus/rules/alerts.yml) say; the runbook has what to do."
    yield from ("", "| alert | severity | what it says |", "|---|---|---|")
    for rule in alerts(root):
        runbook = f"../../{rule['annotations']['runbook']}"
        summary = _cell(rule["annotations"]["summary"])
        yield f"| [`{rule['alert']}`]({runbook}) | {rule['labels']['severity']} | {summary} |"


def alerts(root: Path) -> list[dict[str, Any]]:
    """The rules of all alerts."""
    groups = yaml.safe_load((root / "monitoring/prometheus/rules/alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _make(root: Path) -> Iterator[str]:
    yield from ("What `make help` prints.", "", "| command | what it does |", "|---|---|")
    for name, about in commands(root):
        yield f"| `make {name}` | {_cell(about)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
