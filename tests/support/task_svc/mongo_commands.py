"""Records the commands that the driver sends to MongoDB, and decides whether an index serves them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pymongo import monitoring

_READS_OR_WRITES = {"find", "aggregate", "insert", "update", "delete"}
_RANGE = {"$gt", "$gte", "$lt", "$lte"}

Keys = Sequence[str]


@dataclass(frozen=True)
class Shape:
    """One query: its fields (compared for equality, in a range, only checked, sorted by), and the index in its hint."""

    command: Mapping[str, Any]
    fixed: frozenset[str]
    ranged: frozenset[str]
    checked: frozenset[str]
    sort: Keys
    hint: str | None

    def is_served_by(self, index: Keys) -> bool:
        """Apply MongoDB's rule for compound indexes: equality fields first, then the sort, then at most one range."""
        lead = next((n for n, name in enumerate(index) if name not in self.fixed), len(index))
        scanned = list(self.sort) or sorted(self.ranged)
        return (
            (lead > 0 or bool(scanned))
            and list(index[lead : lead + len(scanned)]) == scanned
            and self.ranged <= set(scanned)
            and len(self.ranged) <= 1
        )

    def beside(self, index: Keys) -> set[str]:
        """Return the fields that must be read from the documents, because the index does not contain them."""
        return set(self.fixed | self.ranged | self.checked) - set(index)


@dataclass
class Commands(monitoring.CommandListener):
    """The commands of all clients that are created while it is registered."""

    sent: list[Mapping[str, Any]] = field(default_factory=list)

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in _READS_OR_WRITES:
            self.sent.append(dict(event.command))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Ignore the event."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Ignore the event."""

    def shapes(self) -> list[Shape]:
        """Return all queries in the commands, including those of writes."""
        return [shape for command in self.sent for shape in _shapes(command)]


@contextmanager
def recorded() -> Iterator[Commands]:
    """Record the commands of all clients that are created in the block."""
    commands = Commands()
    monitoring.register(commands)
    try:
        yield commands
    finally:
        monitoring._LISTENERS.command_listeners.remove(commands)


def _shapes(command: Mapping[str, Any]) -> Iterator[Shape]:
    if "find" in command:
        yield _shape(command, command.get("filter", {}), command.get("sort", {}))
    elif "aggregate" in command:
        yield _shape(command, command["pipeline"][0]["$match"], {})
    for write in [*command.get("updates", ()), *command.get("deletes", ())]:
        yield _shape(command, write["q"], {})


def _shape(command: Mapping[str, Any], query: Mapping[str, Any], sort: Mapping[str, int]) -> Shape:
    fixed, ranged, checked = set[str](), set[str](), set[str]()
    for name, wanted in query.items():
        if name == "$and":
            checked.update(each for part in wanted for each in part)
        elif not isinstance(wanted, Mapping) or (name == "_id" and set(wanted) == {"$in"}):
            fixed.add(name)
        elif set(wanted) <= _RANGE and (not sort or name in sort):
            ranged.add(name)
        else:
            checked.add(name)
    assert len(set(sort.values())) <= 1, "an index is scanned in one direction"
    return Shape(
        command, frozenset(fixed), frozenset(ranged), frozenset(checked), sort=list(sort), hint=command.get("hint")
    )
