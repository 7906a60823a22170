"""The port to the store of tasks, independent of any database.

`sqlite/` and `mongo/` are its adapters. Each must pass the contract suite in tests/integration/task_svc.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import EnumType, IntEnum, StrEnum
from types import NoneType, UnionType
from typing import Any, NamedTuple, Protocol, cast, get_args, get_type_hints

from chassis.errors import DeadlineExceeded, Unavailable
from task_svc.domain import EPOCH, Priority, Status, Task, TaskFields
from task_svc.outbox import OutboxEntry, OutboxStore
from task_svc.text import folded, nfc

SCAN_MAX = 5_000
NEVER_DUE = 2**62


class StoreUnusable(Exception):
    """The configured store cannot be used, and retrying does not help. The message contains no secrets."""


class SortKey(StrEnum):
    """The fields by which tasks can be ordered."""

    CREATE_TIME = "create_time"
    UPDATE_TIME = "update_time"
    DUE_TIME = "due_time"
    PRIORITY = "priority"


@dataclass(frozen=True, slots=True)
class Order:
    """An order of tasks. Ties are ordered by id; tasks without due_time come last in both directions."""

    key: SortKey = SortKey.CREATE_TIME
    descending: bool = True

    def value(self, task: Task) -> int:
        """Return the number by which this order sorts a task: microseconds since 1970, or the priority."""
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
    """Selects the tasks that match all conditions. `text` is folded, and labels are in NFC (see `text`)."""

    statuses: frozenset[Status] = frozenset()
    priorities: frozenset[Priority] = frozenset()
    labels: tuple[str, ...] = ()
    due_before: datetime | None = None
    due_after: datetime | None = None
    text: str = ""
    show_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in an order: directly after the task with this value and id."""

    value: int
    id: str


@dataclass(frozen=True, slots=True)
class Page:
    """Tasks in order, and the cursor of the next page; `next` is None only on the last page."""

    tasks: Sequence[Task]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Creation:
    """A new task with its event, and the idempotency key and fingerprint that identify a repeated request."""

    task: Task
    request_id: str
    fingerprint: bytes
    event: OutboxEntry


@dataclass(frozen=True, slots=True)
class Created:
    """The result of an insert: the task in its current state, the fingerprint of its creation, and if it is new."""

    task: Task
    fingerprint: bytes
    is_new: bool


Change = Callable[[Task], tuple[Task, OutboxEntry] | None]
"""Returns the changed task and its event, or None for no change. A store may call it several times."""


class Changed(NamedTuple):
    """The task after a change, and the event of the change; None if nothing changed."""

    task: Task
    event: OutboxEntry | None


class TaskRepository(OutboxStore, Protocol):
    """A store of tasks and their outboxes.

    A write is durable when its method returns: it survives a crash and a power failure. All methods raise Unavailable
    while the store is unavailable, and DeadlineExceeded when the request's deadline passes.
    """

    async def insert(self, creation: Creation) -> Created:
        """Store a task and its event atomically. If the owner has used the request_id before, return that task."""

    async def get(self, owner: str, task_id: str) -> Task:
        """Return the owner's task, deleted or not. Raises NotFound."""

    async def change(self, owner: str, task_id: str, change: Change) -> Changed:
        """Replace the owner's task and put the event into its slot, atomically.

        Raises NotFound, and the errors that `change` raises.
        """

    async def list(self, owner: str, criteria: Filter, order: Order, after: Cursor | None, limit: int) -> Page:
        """Return a page of at most `limit` of the owner's tasks.

        The cost does not depend on the number of tasks for any order without a filter, with one status, or with one
        label. Other filters scan at most SCAN_MAX tasks, so a page may have few or no tasks and still have a `next`.
        """

    async def to_remind(self, until: datetime, limit: int) -> Sequence[tuple[str, str]]:
        """Return owner and id of at most `limit` tasks with a `to_remind_of` not after `until`, the earliest first."""

    async def purge(self, deleted_before: datetime, limit: int) -> int:
        """Remove at most `limit` tasks that were deleted before then and have an empty outbox; return their number."""

    async def migrate_texts(self, limit: int) -> bool:
        """Migrate the search text and labels of at most `limit` tasks that an earlier release stored.

        Returns False at the end of a pass over all tasks, and at once if there is nothing to migrate. A search may miss
        tasks that are not migrated yet.
        """

    async def ping(self) -> None:
        """Return if the store can write."""


def searchable(fields: TaskFields) -> str:
    """Return the text that a listing's query is matched against."""
    return folded(f"{fields.title}\n{fields.description}")


def microseconds(time: datetime) -> int:
    """Return a time as microseconds since 1970, without rounding."""
    return (time - EPOCH) // timedelta(microseconds=1)


def from_microseconds(value: int) -> datetime:
    """Return the time from microseconds since 1970."""
    return EPOCH + timedelta(microseconds=value)


def to_stored(task: Task) -> dict[str, Any]:
    """Return the stored values of a task by field name: times in microseconds since 1970, enums as numbers."""
    values = {name: getattr(task.fields, name) for name in _FIELDS} | {name: getattr(task, name) for name in _OWN}
    return {name: _to_stored(value) for name, value in values.items()}


def from_stored(values: Mapping[str, Any]) -> Task:
    """Return the task from its stored values. A field that is missing or null has its default.

    Tasks that an older release stored lack newer fields. The default of a field that can be None must be None.
    """
    fields = _read(_FIELDS, values)
    # A release without normalization may have stored a label in several forms.
    fields["labels"] = tuple(dict.fromkeys(map(nfc, fields.get("labels", ()))))
    return Task(fields=TaskFields(**fields), **_read(_OWN, values))


def _read(readers: Mapping[str, Callable[[Any], Any]], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: read(value) for name, read in readers.items() if (value := values.get(name)) is not None}


def _to_stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return microseconds(value)
    if isinstance(value, tuple):
        return list(value)
    return int(value) if isinstance(value, IntEnum) else value


def _readers(kind: type) -> dict[str, Callable[[Any], Any]]:
    """Return for each field of a dataclass the function that converts its stored value, by the field's type."""
    types = get_type_hints(kind)
    return {field.name: _reader(types[field.name]) for field in dataclasses.fields(kind) if field.name != "fields"}


def _reader(kind: Any) -> Callable[[Any], Any]:
    if isinstance(kind, UnionType):
        (kind,) = set(get_args(kind)) - {NoneType}
    if isinstance(kind, EnumType):
        members = {int(member): member for member in cast(type[IntEnum], kind)}
        return members.__getitem__  # seven times as fast as a call of kind
    readers: dict[Any, Callable[[Any], Any]] = {datetime: from_microseconds, tuple[str, ...]: tuple}
    return readers.get(kind) or cast(Callable[[Any], Any], kind)


_FIELDS, _OWN = _readers(TaskFields), _readers(Task)
STORED_FIELDS = (*_OWN, *_FIELDS)
"""The names of the stored values of a task."""


def deadline_exceeded() -> DeadlineExceeded:
    """Return the error for an operation that exceeded the request's deadline."""
    return DeadlineExceeded("DEADLINE_EXCEEDED", "The store did not respond within the deadline.")


def unavailable() -> Unavailable:
    """Return the error while the store is unavailable. Only the log has the driver's message: it may name hosts."""
    return Unavailable("STORE_UNAVAILABLE", "The store is unavailable; try again.")
