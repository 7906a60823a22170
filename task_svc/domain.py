"""The domain: tasks, their rules and their changes. It depends on no storage and no protocol.

Each change takes the current time and returns a new Task; `use_cases` stores that task together with its event.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

from chassis.errors import AlreadyExists, Conflict, InvalidInput, NotFound, Violation
from task_svc.text import control_character, is_invisible, nfc

TITLE_MAX = 200
DESCRIPTION_MAX = 10_000
LABELS_MAX = 20
LABEL_MAX = 50
REQUEST_ID_MAX = 255
QUERY_MAX = 200
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KEPT_AFTER_DELETION = timedelta(days=30)


class Status(IntEnum):
    """The progress of a task."""

    TODO = 1
    IN_PROGRESS = 2
    DONE = 3


class Priority(IntEnum):
    """The priority of a task."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    URGENT = 4


@dataclass(frozen=True, slots=True)
class TaskFields:
    """The fields of a task that its owner sets. Labels are in Unicode normalization form C."""

    title: str
    description: str = ""
    status: Status = Status.TODO
    priority: Priority = Priority.MEDIUM
    labels: tuple[str, ...] = ()
    due_time: datetime | None = None

    def __post_init__(self) -> None:
        """Normalize the labels."""
        object.__setattr__(self, "labels", tuple(map(nfc, self.labels)))

    def violations(self, before: "TaskFields | None" = None) -> list[Violation]:
        """Return all violations; with `before`, only those of changed fields.

        A field that an earlier release accepted must not prevent changes to the other fields.
        """
        rules: dict[str, Callable[[Any], Iterator[Violation]]] = {
            "title": _title,
            "description": _description,
            "labels": _labels,
            "due_time": _due,
        }
        changed = [name for name in rules if before is None or getattr(self, name) != getattr(before, name)]
        return [violation for name in changed for violation in rules[name](getattr(self, name))]

    def check(self, before: "TaskFields | None" = None) -> None:
        """Raise InvalidInput with all violations, if there are any; with `before`, only of changed fields."""
        if violations := self.violations(before):
            raise InvalidInput(*violations)


@dataclass(frozen=True, slots=True)
class Task:
    """A task after `revision` writes. Times are in UTC, with microsecond precision.

    `to_remind_of` is the due_time for which a reminder is pending; `reminded_of` is that of the last reminder.
    """

    id: str
    owner: str
    fields: TaskFields
    create_time: datetime
    update_time: datetime
    complete_time: datetime | None = None
    delete_time: datetime | None = None
    revision: int = 1
    to_remind_of: datetime | None = None
    reminded_of: datetime | None = None

    @property
    def etag(self) -> str:
        """The etag of this revision."""
        return f"r{self.revision}"

    def check_etag(self, etag: str) -> None:
        """Raise Conflict unless `etag` is empty or that of this revision."""
        if etag and etag != self.etag:
            raise Conflict("ETAG_MISMATCH", f"The task has changed since etag {etag[:32]!r}; read it again.")

    def check_alive(self) -> None:
        """Raise NotFound if the task is deleted."""
        if self.delete_time is not None:
            raise not_found(self.id)


def create(task_id: str, owner: str, fields: TaskFields, now: datetime) -> Task:
    """Return a new task. Raises InvalidInput for invalid fields."""
    fields.check()
    complete_time = now if fields.status is Status.DONE else None
    task = Task(task_id, owner, fields, create_time=now, update_time=now, complete_time=complete_time)
    return _with_reminder(task, now)


def update(task: Task, fields: TaskFields, etag: str, now: datetime) -> Task:
    """Return the task with new fields, or the same object if they change nothing.

    Raises NotFound if the task is deleted, Conflict if `etag` is out of date, and InvalidInput for invalid fields.
    """
    task.check_alive()
    task.check_etag(etag)
    fields.check(task.fields)
    if fields == task.fields:
        return task
    written = _written(task, now)
    complete_time = task.complete_time
    if fields.status is not Status.DONE:
        complete_time = None
    elif task.fields.status is not Status.DONE:
        complete_time = written.update_time
    return _with_reminder(replace(written, fields=fields, complete_time=complete_time), now)


def delete(task: Task, etag: str, now: datetime) -> Task:
    """Return the deleted task. Raises NotFound if it is deleted already, and Conflict if `etag` is out of date."""
    task.check_alive()
    task.check_etag(etag)
    written = _written(task, now)
    return _with_reminder(replace(written, delete_time=written.update_time), now)


def undelete(task: Task, now: datetime) -> Task:
    """Return the restored task. Raises AlreadyExists if it is not deleted."""
    if task.delete_time is None:
        raise AlreadyExists("NOT_DELETED", f"The task {task.id} is not deleted.")
    return _with_reminder(replace(_written(task, now), delete_time=None), now)


def remind(task: Task, until: datetime) -> Task:
    """Return the task with its reminder marked as sent, or the same object if no reminder is due by `until`.

    The revision does not change, because a reminder is not a write by the owner.
    """
    if task.to_remind_of is None or task.to_remind_of > until:
        return task
    return replace(task, to_remind_of=None, reminded_of=task.to_remind_of)


def not_found(task_id: str) -> NotFound:
    """Return the error for a task that does not exist or belongs to another user."""
    return NotFound("TASK_NOT_FOUND", f"There is no task {task_id[:32]!r}.")


def request_id_violations(request_id: str) -> Iterator[Violation]:
    """Yield the violations of an idempotency key. It is optional, so an empty string is valid."""
    if len(request_id) > REQUEST_ID_MAX or not all(" " <= character <= "~" for character in request_id):
        yield Violation("request_id", f"must be 1 to {REQUEST_ID_MAX} printable ASCII characters")


def label_violations(field: str, label: str) -> Iterator[Violation]:
    """Yield the violations of one label."""
    yield from _line(field, label, LABEL_MAX)


def length_violations(field: str, text: str, longest: int) -> Iterator[Violation]:
    """Yield the violation of a text that is too long. Characters are Unicode code points."""
    if len(text) > longest:
        counted = f"and has {len(text):,}; one emoji can be several"
        yield Violation(field, f"must be at most {longest:,} characters (Unicode code points), {counted}")


def _written(task: Task, now: datetime) -> Task:
    # If the clock was set back, update_time must not decrease. The other times of a write are taken from it.
    return replace(task, update_time=max(now, task.update_time), revision=task.revision + 1)


def _with_reminder(task: Task, now: datetime) -> Task:
    """Set `to_remind_of`: one reminder per due_time of an open task; none if due_time was already past when set."""
    due_time = task.fields.due_time
    is_open = task.delete_time is None and task.fields.status is not Status.DONE
    is_new = due_time not in (None, task.reminded_of) and (due_time == task.to_remind_of or due_time > now)
    return replace(task, to_remind_of=due_time if is_open and is_new else None)


def _title(title: str) -> Iterator[Violation]:
    yield from _line("task.title", title, TITLE_MAX)


def _description(description: str) -> Iterator[Violation]:
    yield from length_violations("task.description", description, DESCRIPTION_MAX)
    if found := control_character(description, one_line=False):
        allowed = "tab, line feed and carriage return"
        yield Violation("task.description", f"must have no control characters except {allowed}, and has {found}")


def _labels(labels: Sequence[str]) -> Iterator[Violation]:
    if len(labels) > LABELS_MAX:
        yield Violation("task.labels", f"must be at most {LABELS_MAX} labels, and has {len(labels):,}")
        return
    for i, label in enumerate(labels):
        yield from label_violations(f"task.labels[{i}]", label)
        if label in labels[:i]:
            yield Violation(f"task.labels[{i}]", "must not repeat another label")


def _due(due_time: datetime | None) -> Iterator[Violation]:
    if due_time is not None and due_time < EPOCH:
        yield Violation("task.due_time", "must not be before 1970")


def _line(field: str, text: str, longest: int) -> Iterator[Violation]:
    if not text.strip():
        yield Violation(field, "must not be blank")
    elif is_invisible(text):
        yield Violation(field, "must have a visible character")
    yield from length_violations(field, text, longest)
    if found := control_character(text, one_line=True):
        yield Violation(field, f"must have no control characters and no line breaks, and has {found}")
