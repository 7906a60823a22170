"""Reads the entries of kong.yml and refuses what the stand-in does not know: no field is silently without effect."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

_T = TypeVar("_T")


class Unknown(ValueError):
    """The configuration asks for something that the stand-in cannot do; the message names it."""


class Fields:
    """The fields of one entry, each to be taken once; `where` names the entry in messages."""

    def __init__(self, values: Any, where: str) -> None:
        if not isinstance(values, Mapping):
            msg = f"{where}: it must be a mapping"
            raise Unknown(msg)
        self._values = dict(values)
        self.where = where

    def take(self, name: str, kind: type[_T], default: _T) -> _T:
        """The value of a field, or Kong's default where it is left out."""
        value = self._values.pop(name, None)
        if value is None:
            return default
        if kind is float and isinstance(value, int):
            value = float(value)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            msg = f"{self.where}: {name} must be of type {kind.__name__}"
            raise Unknown(msg)
        return value

    def texts(self, name: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        """The value of a field that lists texts."""
        return tuple(self.take(name, list, list(default)))

    def entries(self, name: str) -> list[Any]:
        """The value of a field that lists entries."""
        return self.take(name, list, [])

    def group(self, name: str) -> "Fields":
        """The fields of an entry inside this one."""
        return Fields(self._values.pop(name, None) or {}, f"{self.where}: {name}")

    def only(self, name: str, *known: Any, default: Any = None) -> Any:
        """The value of a field of which the stand-in knows some values; `default` is Kong's, and may be unknown too."""
        value = self._values.pop(name, None)
        value = default if value is None else value
        if value not in known:
            msg = f"{self.where}: {name} {value!r} is not known to the stand-in"
            raise Unknown(msg)
        return value

    def ignore(self, *names: str) -> None:
        """Drops fields that change nothing here."""
        for name in names:
            self._values.pop(name, None)

    def done(self) -> None:
        """Raises Unknown when a field is left."""
        if self._values:
            msg = f"{self.where}: {', '.join(sorted(self._values))} is not known to the stand-in"
            raise Unknown(msg)
