"""What the driver sends to MongoDB, written down, and whether an index serves it."""

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
    """One query: the fields that are fixed, ranged over, only checked, and ordered by, and the index that it names."""

    command: Mapping[str, Any]
    fixed: frozenset[str]
    ranged: frozenset[str]
    checked: frozenset[str]
    sort: Keys
    hint: str | None

    def is_served_by(self, index: Keys) -> bool:
        """MongoDB's rule for compound indexes: what is fixed first, then the order, then at most one range."""
        lead = next((n for n, name in enumerate(index) if name not in self.fixed), len(index))
        walked = list(self.sort) or sorted(self.ranged)
        return (
            (lead > 0 or bool(walked))
            and list(index[lead : lead + len(walked)]) == walked
            and self.ranged <= set(walked)
            and len(self.ranged) <= 1
        )

    def beside(self, index: Keys) -> set[str]:
        """The fields that have to be read from the documents, for the index does not know them."""
        return set(self.fixed | self.ranged | self.checked) - set(index)


@dataclass
class Commands(monitoring.CommandListener):
    """The commands that were sent by clients that were made while it records."""

    sent: list[Mapping[str, Any]] = field(default_factory=list)

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in _READS_OR_WRITES:
            self.sent.append(dict(event.command))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing more is to be known."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing more is to be known."""

    def shapes(self) -> list[Shape]:
        """All queries in them, of writes too."""
        return [shape for command in self.sent for shape in _shapes(command)]


@contextmanager
def recorded() -> Iterator[Commands]:
    """Records what is sent by clients that are made in the block."""
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
    assert len(set(sort.values())) <= 1, "an index is walked in one direction"
    return Shape(
        command, frozenset(fixed), frozenset(ranged), frozenset(checked), sort=list(sort), hint=command.get("hint")
    )
