"""`python -m scripts.openapi_diff BEFORE AFTER`: what one OpenAPI document takes from the clients of another.

A client breaks when a path, a method or an answer is gone, when it must send what it need not before, when a value that
it sends is no longer taken, or when a field that it reads is gone or of another kind. What is added breaks nobody.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]
_METHODS = ("get", "put", "post", "delete", "patch")


def breaks(before: Schema, after: Schema) -> Iterator[str]:
    """What `after` breaks, a line each."""
    for path, old in before["paths"].items():
        for method in (each for each in _METHODS if each in old):
            new = after["paths"].get(path, {}).get(method)
            where = f"{method.upper()} {path}"
            if new is None:
                yield f"{where} is gone"
            else:
                yield from _requests(where, _Side(before, old[method]), _Side(after, new))
                yield from _answers(where, _Side(before, old[method]), _Side(after, new))


class _Side:
    """An operation and the document that it is in."""

    def __init__(self, document: Schema, operation: Schema) -> None:
        self.document = document
        self.operation = operation

    def parameters(self) -> dict[str, Schema]:
        return {f"{each['in']} {each['name']}": each for each in self.operation.get("parameters", [])}

    def bodies(self) -> Schema:
        content: Schema = self.operation.get("requestBody", {}).get("content", {})
        return content

    def resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return schema


def _requests(where: str, old: _Side, new: _Side) -> Iterator[str]:
    before, after = old.parameters(), new.parameters()
    yield from (f"{where}: {name} is gone" for name in before.keys() - after.keys())
    for name, parameter in after.items():
        if parameter.get("required") and not before.get(name, {}).get("required"):
            yield f"{where}: {name} is required now"
        if name in before:
            yield from _narrower(f"{where}: {name}", old, before[name].get("schema", {}), new, parameter["schema"])
    if new.operation.get("requestBody", {}).get("required") and not old.operation.get("requestBody", {}).get(
        "required"
    ):
        yield f"{where}: a body is required now"
    for kind, body in old.bodies().items():
        if kind not in new.bodies():
            yield f"{where}: a body of {kind} is no longer taken"
        else:
            yield from _narrower(f"{where}: body", old, body["schema"], new, new.bodies()[kind]["schema"])


def _narrower(where: str, old: _Side, before: Schema, new: _Side, after: Schema) -> Iterator[str]:
    """What a client may send no longer."""
    before, after = old.resolved(before), new.resolved(after)
    yield from _other_kind(where, before, after)
    yield from (f"{where}: {value!r} is no longer taken" for value in _missing(before, after, "enum"))
    for name in set(after.get("required", [])) - set(before.get("required", [])):
        yield f"{where}.{name} is required now"
    for name, field in before.get("properties", {}).items():
        if name not in after.get("properties", {}):
            yield f"{where}.{name} is no longer taken"
        else:
            yield from _narrower(f"{where}.{name}", old, field, new, after["properties"][name])
    if "items" in before and "items" in after:
        yield from _narrower(f"{where}[]", old, before["items"], new, after["items"])


def _answers(where: str, old: _Side, new: _Side) -> Iterator[str]:
    before, after = old.operation["responses"], new.operation["responses"]
    for status, answer in before.items():
        if status not in after:
            yield f"{where}: the answer {status} is gone"
            continue
        for kind, body in answer.get("content", {}).items():
            if kind not in after[status].get("content", {}):
                yield f"{where}: the answer {status} is no longer {kind}"
            elif schema := body.get("schema"):
                now = after[status]["content"][kind].get("schema", {})
                yield from _poorer(f"{where}: {status}", old, schema, new, now)


def _poorer(where: str, old: _Side, before: Schema, new: _Side, after: Schema) -> Iterator[str]:
    """What a client reads and finds no longer."""
    before, after = old.resolved(before), new.resolved(after)
    yield from _other_kind(where, before, after)
    for name in set(before.get("required", [])) - set(after.get("required", [])):
        yield f"{where}.{name} may be missing now"
    for name, field in before.get("properties", {}).items():
        if name not in after.get("properties", {}):
            yield f"{where}.{name} is gone"
        else:
            yield from _poorer(f"{where}.{name}", old, field, new, after["properties"][name])
    if "items" in before and "items" in after:
        yield from _poorer(f"{where}[]", old, before["items"], new, after["items"])


def _other_kind(where: str, before: Schema, after: Schema) -> Iterator[str]:
    kinds = [(each.get("type"), each.get("format"), json.dumps(each.get("anyOf"))) for each in (before, after)]
    if kinds[0] != kinds[1]:
        yield f"{where} is of another kind"


def _missing(before: Schema, after: Schema, key: str) -> list[Any]:
    return [value for value in before.get(key, []) if value not in after.get(key, before.get(key, []))]


if __name__ == "__main__":
    found = sorted(breaks(*(json.loads(Path(path).read_text()) for path in sys.argv[1:])))
    print("\n".join(found))
    sys.exit(bool(found))
