"""The headers of a request or an answer: names in any case, several lines of one name, their order kept."""

from collections.abc import Iterable, Iterator


class Headers:
    """A list of header lines that can be changed."""

    def __init__(self, lines: Iterable[tuple[str, str]] = ()) -> None:
        self._lines = list(lines)

    @classmethod
    def of_raw(cls, raw: Iterable[tuple[bytes, bytes]]) -> "Headers":
        """The headers as servers and clients give them."""
        return cls((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw)

    def raw(self) -> list[tuple[bytes, bytes]]:
        """The headers as servers and clients take them."""
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self._lines]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, name: str) -> bool:
        return any(each.lower() == name.lower() for each, _ in self._lines)

    def all(self, name: str, within: int | None = None) -> list[str]:
        """The values of all lines of a name, or of those among the first `within` lines."""
        return [value for each, value in self._lines[:within] if each.lower() == name.lower()]

    def get(self, name: str, default: str = "") -> str:
        """The value of the first line of a name."""
        return next(iter(self.all(name)), default)

    def add(self, name: str, value: str) -> None:
        """Adds a line."""
        self._lines.append((name, value))

    def remove(self, *names: str) -> None:
        """Removes all lines of these names."""
        gone = {name.lower() for name in names}
        self._lines = [(name, value) for name, value in self._lines if name.lower() not in gone]

    def set(self, name: str, value: str) -> None:
        """Puts one line in the place of all of this name."""
        self.remove(name)
        self.add(name, value)
