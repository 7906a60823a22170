"""Selects the route for a request as Kong does: path normalisation and route precedence.

The development gateway and the checks of kong.yml use it. It follows Kong 3.9's `kong/tools/uri.lua` and
`kong/router/transform.lua` (flavor traditional_compatible, the default).
"""

import re
from collections.abc import Callable, Iterable

from kong.configuration import Route

_RESERVED = frozenset("!*'();:@&=+$,/?%#[]")
_TRIPLET = re.compile("%([0-9A-Fa-f]{2})")
_BAD_TRIPLET = re.compile("%(?![0-9A-Fa-f]{2})|%00|\0")
_UNSAFE = re.compile(r"[^!#$&'()*+,/:;=?@\[\]A-Za-z0-9\-_.~%]")
_Headers = Iterable[tuple[str, str]]


class BadPath(ValueError):
    """nginx rejects this path with 400 before routing."""


def normalised(path: str) -> str:
    """Return the path as Kong matches it: `.` and `..` resolved, slashes merged, unreserved characters decoded.

    Each byte is one latin-1 character. Raise BadPath.
    """
    _refuse_bad(path)
    decoded = _TRIPLET.sub(_decode, path)
    segments: list[str] = []
    for segment in decoded.split("/"):
        if segment == "..":
            segments = segments[:-1]
        elif segment not in ("", "."):
            segments.append(segment)
    ends_in_folder = decoded.endswith(("/", "/.", "/.."))
    return "/" + "/".join(segments) + ("/" if segments and ends_in_folder else "")


def escaped(path: str) -> str:
    """Return a normalised path as Kong sends it to the service."""
    return _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", path)


def _decode(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return match[0].upper() if character in _RESERVED else character


def _refuse_bad(path: str) -> None:
    # nginx resolves the path itself and rejects one that leads above the root.
    if not path.startswith("/") or _BAD_TRIPLET.search(path):
        raise BadPath(path)
    depth = 0
    for segment in _TRIPLET.sub(lambda match: chr(int(match[1], 16)), path).split("/"):
        depth += -1 if segment == ".." else 1 if segment not in ("", ".") else 0
        if depth < 0:
            raise BadPath(path)


class Router:
    """All routes in Kong's matching order. Routes of equal precedence keep the given order."""

    def __init__(self, routes: Iterable[Route]) -> None:
        # Kong splits a route with paths of different kinds or lengths. One entry per path is equivalent.
        entries = [(route, path) for route in routes for path in route.paths or (None,)]
        self._entries = sorted((_Entry(route, path) for route, path in entries), key=_Entry.precedence, reverse=True)

    def match(self, method: str, path: str, host: str, headers: _Headers) -> Route | None:
        """Return the route for a request, or None. `path` must be normalised."""
        lines = list(headers)
        for entry in self._entries:
            if entry.matches(method, path, host, lines):
                return entry.route
        return None


class _Entry:
    def __init__(self, route: Route, path: str | None) -> None:
        self.route = route
        self._is_regex = path is not None and path.startswith("~")
        self._prefix = "" if path is None or self._is_regex else path
        self._pattern = re.compile(path[1:]) if path is not None and self._is_regex else None
        self._headers = {
            name.lower(): [_header_test(value) for value in values] for name, values in route.headers.items()
        }
        self._has_path = path is not None

    def precedence(self) -> tuple[int, ...]:
        """Return the sort key: number of attributes, hosts, headers, regular expression first, prefix length."""
        route = self.route
        attributes = sum(map(bool, (self._has_path, route.methods, route.hosts, route.headers)))
        by_path = (1, route.regex_priority) if self._is_regex else (0, len(self._prefix))
        return (attributes, bool(route.hosts), len(route.headers), *by_path)

    def matches(self, method: str, path: str, host: str, headers: list[tuple[str, str]]) -> bool:
        """Return whether the request matches every attribute of the route."""
        route = self.route
        return (
            (not route.methods or method in route.methods)
            and (not route.hosts or host.rpartition(":")[0].lower() in route.hosts or host.lower() in route.hosts)
            and (self._pattern.match(path) is not None if self._pattern else path.startswith(self._prefix))
            and all(
                any(test(value) for key, value in headers if key.lower() == name for test in tests)
                for name, tests in self._headers.items()
            )
        )


def _header_test(wanted: str) -> Callable[[str], bool]:
    if wanted.startswith("~*"):
        pattern = re.compile(wanted[2:], re.IGNORECASE)
        return lambda value: pattern.search(value) is not None
    return lambda value: value.lower() == wanted.lower()
