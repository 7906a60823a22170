"""Whether a configuration has the form that Kong takes, by what Kong says of itself in schema.json.

Kong checks more when it parses a file; this is what can be known without it: entities, plugins, fields, types, and
where a plugin may sit.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

_SCHEMA: Mapping[str, Any] = json.loads((Path(__file__).parent / "schema.json").read_text())
_ENTITIES, _PLUGINS = _SCHEMA["entities"], _SCHEMA["plugins"]
_TOP = ("services", "routes", "consumers", "plugins")
_NESTED = {
    "services": ("routes", "plugins"),
    "routes": ("plugins",),
    "consumers": ("plugins", "basicauth_credentials", "keyauth_credentials", "acls"),
}
# A service's url is short for these; a file says one or the other.
_URL = re.compile(r"^(https?|grpcs?)://[a-z0-9.-]+:\d+(/\S*)?$")
_OF_URL = ("protocol", "host", "port", "path")
_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "set": lambda value: isinstance(value, list) and len({str(each) for each in value}) == len(value),
    "map": lambda value: isinstance(value, dict),
    "record": lambda value: isinstance(value, dict),
    "foreign": lambda value: isinstance(value, str),
}


def problems(config: Mapping[str, Any]) -> Iterator[str]:
    """What Kong would refuse, a line each that begins with the place."""
    if config.get("_format_version") != "3.0" or config.get("_transform") is not True:
        yield "_format_version must be 3.0, and _transform true: passwords stand in the files as they are"
    for kind, entries in config.items():
        if kind in _TOP:
            yield from _list(kind, kind, entries)
        elif kind not in ("_format_version", "_transform"):
            yield f"{kind}: there is no such entity"


def _list(kind: str, where: str, entries: Any) -> Iterator[str]:
    if not isinstance(entries, list):
        yield f"{where}: must be a list"
        return
    for number, entry in enumerate(entries):
        if isinstance(entry, dict):
            name = entry.get("name") or entry.get("username") or entry.get("id") or number
            yield from _entity(kind, f"{where}.{name}", entry)
        else:
            yield f"{where}.{number}: must be a map"


def _entity(kind: str, where: str, entry: Mapping[str, Any]) -> Iterator[str]:
    nested = [name for name in _NESTED.get(kind, ()) if name in entry]
    for name in nested:
        yield from _list(name, f"{where}.{name}", entry[name])
    fields = {name: value for name, value in entry.items() if name not in nested}
    if kind == "services" and "url" in fields:
        yield from _url(where, fields)
        fields = {"host": "", **{name: value for name, value in fields.items() if name not in ("url", *_OF_URL)}}
    if kind == "plugins":
        yield from _plugin(where, fields)
        fields.pop("config", None)
    yield from _record(where, {"fields": _ENTITIES[kind]}, fields)


def _url(where: str, fields: Mapping[str, Any]) -> Iterator[str]:
    if not _URL.match(str(fields["url"])):
        yield f"{where}.url: must say protocol, host and port"
    yield from (f"{where}.{name}: url says it already" for name in _OF_URL if name in fields)


def _plugin(where: str, fields: Mapping[str, Any]) -> Iterator[str]:
    plugin = _PLUGINS.get(fields.get("name"))
    if plugin is None:
        yield f"{where}: there is no such plugin, or schema.json does not know it yet"
        return
    if not plugin["on_consumer"] and ("consumer" in fields or where.startswith("consumers.")):
        yield f"{where}: it cannot be bound to a consumer"
    yield from _value(f"{where}.config", {"type": "record", "fields": plugin["config"]}, fields.get("config", {}))


def _value(where: str, rule: Mapping[str, Any], value: Any) -> Iterator[str]:
    if not _TYPES[rule["type"]](value):
        yield f"{where}: must be of type {rule['type']}"
        return
    if "one_of" in rule and value not in rule["one_of"]:
        yield f"{where}: must be one of {', '.join(map(str, rule['one_of']))}"
    if "between" in rule and not rule["between"][0] <= value <= rule["between"][1]:
        yield f"{where}: must be from {rule['between'][0]} to {rule['between'][1]}"
    if "gt" in rule and value <= rule["gt"]:
        yield f"{where}: must be more than {rule['gt']}"
    if "len_min" in rule and len(value) < rule["len_min"]:
        yield f"{where}: must not be empty"
    if "match" in rule and not re.search(rule["match"].replace("%u", "[A-Z]"), value):
        yield f"{where}: must match {rule['match']}"
    yield from _inside(where, rule, value)


def _inside(where: str, rule: Mapping[str, Any], value: Any) -> Iterator[str]:
    if rule["type"] in ("array", "set") and "elements" in rule:
        for number, each in enumerate(value):
            yield from _value(f"{where}[{number}]", rule["elements"], each)
    elif rule["type"] == "map" and "values" in rule:
        for name, each in value.items():
            yield from _value(f"{where}.{name}", rule["values"], each)
    elif rule["type"] == "record" and "fields" in rule:
        yield from _record(where, rule, value)


def _record(where: str, rule: Mapping[str, Any], value: Mapping[str, Any]) -> Iterator[str]:
    for name, field in rule["fields"].items():
        if name in value:
            yield from _value(f"{where}.{name}", field, value[name])
        elif field.get("required"):
            yield f"{where}.{name}: is missing"
    yield from (f"{where}.{name}: there is no such field" for name in value if name not in rule["fields"])
