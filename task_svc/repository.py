"""The port to the store of tasks: what a store must do, told without any store.

`sqlite.py` and `mongo.py` are its adapters; the contract suite in tests/integration is what every adapter must pass.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from types import NoneType, UnionType
from typing import Any, NamedTuple, Protocol, cast, get_args, get_type_hints

from chassis.errors import DeadlineExceeded, Unavailable
from task_svc.domain import Priority, Status, Task, TaskFields
from task_svc.outbox import OutboxEntry, OutboxStore

SCAN_MAX = 5_000
NEVER_DUE = 2**62
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class StoreUnusable(Exception):
    """The store that the settings name can never be used; the message says why, without any secret."""


class SortKey(StrEnum):
    """What tasks can be ordered by."""

    CREATE_TIME = "create_time"
    UPDATE_TIME = "update_time"
    DUE_TIME = "due_time"
    PRIORITY = "priority"


@dataclass(frozen=True, slots=True)
class Order:
    """An order of tasks; ties are broken by id, and tasks without due_time come last in both directions."""

    key: SortKey = SortKey.CREATE_TIME
    descending: bool = True

    def value(self, task: Task) -> int:
        """The number by which this order sorts a task: microseconds since 1970, or the priority."""
        match self.key:
            case SortKey.CREATE_TIME:
                return microseconds(task.create_time)
            case SortKey.UPDATE_TIME:
                return microseconds(task.update_time)
            case SortKey.PRIORITY:
                return int(task.fields.priority)
            case SortKey.DUE_TIME:
                if task.fields.due_time is None:
                    return -1 if self.descending else NEVER_DUE
                return microseconds(task.fields.due_time)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tasks to list: those that pass all of it. `text` is case folded."""

    statuses: frozenset[Status] = frozenset()
    priorities: frozenset[Priority] = frozenset()
    labels: tuple[str, ...] = ()
    due_before: datetime | None = None
    due_after: datetime | None = None
    text: str = ""
    show_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in an order: right behind the task with this value and id."""

    value: int
    id: str


@dataclass(frozen=True, slots=True)
class Page:
    """Tasks in order, and where to go on; `next` is None only when there is nothing more."""

    tasks: Sequence[Task]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Creation:
    """A new task with what makes a repeat of its request known: the key and a fingerprint of the content."""

    task: Task
    request_id: str
    fingerprint: bytes
    event: OutboxEntry


@dataclass(frozen=True, slots=True)
class Created:
    """What an insert found: the task as it is now, the fingerprint it was created with, and whether it is new."""

    task: Task
    fingerprint: bytes
    is_new: bool


Change = Callable[[Task], tuple[Task, OutboxEntry] | None]
"""Returns the changed task and the event it caused, or None for no change; it may be called several times."""


class Changed(NamedTuple):
    """The task after a change, and the event it caused; None if nothing changed."""

    task: Task
    event: OutboxEntry | None


class TaskRepository(OutboxStore, Protocol):
    """A store of tasks and their outboxes.

    A write is durable when its method returns: it survives the end of the process and a power cut. All methods raise
    Unavailable while the store is away and DeadlineExceeded when the request's deadline passes.
    """

    async def insert(self, creation: Creation) -> Created:
        """Stores a task and its event in one step, unless the owner has used the request_id before."""

    async def get(self, owner: str, task_id: str) -> Task:
        """The owner's task, deleted or not. Raises NotFound."""

    async def change(self, owner: str, task_id: str, change: Change) -> Changed:
        """Replaces the owner's task and puts the event into its slot, in one atomic step.

        Raises NotFound, and whatever `change` raises.
        """

    async def list(self, owner: str, criteria: Filter, order: Order, after: Cursor | None, limit: int) -> Page:
        """At most `limit` of the owner's tasks.

        Costs the same however many tasks there are, for every order without a filter, with one status or with one
        label; any other filter looks at no more than SCAN_MAX tasks and may so return few, or none, and a `next`.
        """

    async def to_remind(self, until: datetime, limit: int) -> Sequence[tuple[str, str]]:
        """Owner and id of tasks whose `to_remind_of` is not after `until`, the earliest first."""

    async def purge(self, deleted_before: datetime, limit: int) -> int:
        """Removes at most `limit` tasks that were deleted before then and have an empty outbox; tells how many."""

    async def ping(self) -> None:
        """Returns when the store can be used."""


def searchable(fields: TaskFields) -> str:
    """The text in which a listing's query is looked for."""
    return f"{fields.title}\n{fields.description}".casefold()


def microseconds(time: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (time - EPOCH) // timedelta(microseconds=1)


def from_microseconds(value: int) -> datetime:
    """The time so many microseconds after 1970."""
    return EPOCH + timedelta(microseconds=value)


def to_stored(task: Task) -> dict[str, Any]:
    """The values that a store keeps of a task, by field name: times in microseconds since 1970, enums as numbers."""
    values = {name: getattr(task.fields, name) for name in _FIELDS} | {name: getattr(task, name) for name in _OWN}
    return {name: _to_stored(value) for name, value in values.items()}


def from_stored(values: Mapping[str, Any]) -> Task:
    """The task that a store has kept. A field that an older release did not know, missing or null, has its default.

    So the default of a field that can be None must be None.
    """
    return Task(fields=TaskFields(**_read(_FIELDS, values)), **_read(_OWN, values))


def _read(readers: Mapping[str, Callable[[Any], Any]], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: read(values[name]) for name, read in readers.items() if values.get(name) is not None}


def _to_stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return microseconds(value)
    if isinstance(value, tuple):
        return list(value)
    return int(value) if isinstance(value, IntEnum) else value


def _readers(kind: type) -> dict[str, Callable[[Any], Any]]:
    """How to read each field of a dataclass back, by its type."""
    types = get_type_hints(kind)
    return {field.name: _reader(types[field.name]) for field in dataclasses.fields(kind) if field.name != "fields"}


def _reader(kind: Any) -> Callable[[Any], Any]:
    if isinstance(kind, UnionType):
        (kind,) = set(get_args(kind)) - {NoneType}
    readers: dict[Any, Callable[[Any], Any]] = {datetime: from_microseconds, tuple[str, ...]: tuple}
    return readers.get(kind) or cast(Callable[[Any], Any], kind)


_FIELDS, _OWN = _readers(TaskFields), _readers(Task)
STORED_FIELDS = (*_OWN, *_FIELDS)
"""The names of the values that a store keeps of a task."""


def deadline_exceeded() -> DeadlineExceeded:
    """The error for an operation that the request's deadline ended."""
    return DeadlineExceeded("DEADLINE_EXCEEDED", "The store did not answer within the deadline.")


def unavailable() -> Unavailable:
    """The error while the store is away. The log has the driver's message, which may name hosts and paths."""
    return Unavailable("STORE_UNAVAILABLE", "The store cannot be used at the moment; try again.")
