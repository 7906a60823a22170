"""The domain: tasks, their rules and their changes. Knows no storage and no protocol.

Every change takes the current time and returns a new Task; `use_cases` stores it together with the event it caused.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from chassis.errors import AlreadyExists, Conflict, InvalidInput, NotFound, Violation

TITLE_MAX = 200
DESCRIPTION_MAX = 10_000
LABELS_MAX = 20
LABEL_MAX = 50
REQUEST_ID_MAX = 255
QUERY_MAX = 200
EARLIEST_DUE = datetime(1970, 1, 1, tzinfo=UTC)
KEPT_AFTER_DELETION = timedelta(days=30)


class Status(IntEnum):
    """How far a task is."""

    TODO = 1
    IN_PROGRESS = 2
    DONE = 3


class Priority(IntEnum):
    """How much a task matters."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    URGENT = 4


@dataclass(frozen=True, slots=True)
class TaskFields:
    """What the owner says of a task."""

    title: str
    description: str = ""
    status: Status = Status.TODO
    priority: Priority = Priority.MEDIUM
    labels: tuple[str, ...] = ()
    due_time: datetime | None = None

    def violations(self) -> list[Violation]:
        """Every broken rule."""
        return [*_title(self.title), *_description(self.description), *_labels(self.labels), *_due(self.due_time)]

    def check(self) -> None:
        """Raises InvalidInput with every broken rule."""
        if violations := self.violations():
            raise InvalidInput(*violations)


@dataclass(frozen=True, slots=True)
class Task:
    """A task as it is after `revision` writes. Times are in UTC, to the microsecond.

    `to_remind_of` is the due_time that its owner is still to be reminded of, `reminded_of` the last one that was.
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
        """Stands for this revision."""
        return f"r{self.revision}"

    def check_etag(self, etag: str) -> None:
        """Raises Conflict unless `etag` is this revision's, or empty for any."""
        if etag and etag != self.etag:
            raise Conflict("ETAG_MISMATCH", f"The task has changed: its etag is no longer {etag[:32]!r}.")

    def check_alive(self) -> None:
        """Raises NotFound when the task is deleted."""
        if self.delete_time is not None:
            raise not_found(self.id)


def create(task_id: str, owner: str, fields: TaskFields, now: datetime) -> Task:
    """A new task. Raises InvalidInput when the content breaks a rule."""
    fields.check()
    complete_time = now if fields.status is Status.DONE else None
    task = Task(task_id, owner, fields, create_time=now, update_time=now, complete_time=complete_time)
    return _with_reminder(task, now)


def update(task: Task, fields: TaskFields, etag: str, now: datetime) -> Task:
    """The task with new content; the same task when that changes nothing.

    Raises NotFound when it is deleted, Conflict when `etag` is another revision's, InvalidInput when a rule breaks.
    """
    task.check_alive()
    task.check_etag(etag)
    fields.check()
    if fields == task.fields:
        return task
    complete_time = task.complete_time
    if fields.status is not Status.DONE:
        complete_time = None
    elif task.fields.status is not Status.DONE:
        complete_time = now
    return _with_reminder(replace(_written(task, now), fields=fields, complete_time=complete_time), now)


def delete(task: Task, etag: str, now: datetime) -> Task:
    """The task, deleted. Raises NotFound when it is so already, Conflict when `etag` is another revision's."""
    task.check_alive()
    task.check_etag(etag)
    return _with_reminder(replace(_written(task, now), delete_time=now), now)


def undelete(task: Task, now: datetime) -> Task:
    """The task, no longer deleted. Raises AlreadyExists when it is not deleted."""
    if task.delete_time is None:
        raise AlreadyExists("NOT_DELETED", f"The task {task.id} is not deleted.")
    return _with_reminder(replace(_written(task, now), delete_time=None), now)


def remind(task: Task, until: datetime) -> Task:
    """The task, its owner reminded; the same task when there is nothing due by then to remind of.

    It is no write of the owner's, so the revision stays.
    """
    if task.to_remind_of is None or task.to_remind_of > until:
        return task
    return replace(task, to_remind_of=None, reminded_of=task.to_remind_of)


def not_found(task_id: str) -> NotFound:
    """The error for a task that does not exist for this caller."""
    return NotFound("TASK_NOT_FOUND", f"There is no task {task_id[:32]!r}.")


def request_id_violations(request_id: str) -> Iterator[Violation]:
    """Why it cannot be an idempotency key; an empty one stands for none."""
    if len(request_id) > REQUEST_ID_MAX or not all(" " <= character <= "~" for character in request_id):
        yield Violation("request_id", f"must be 1 to {REQUEST_ID_MAX} printable ASCII characters")


def label_violations(field: str, label: str) -> Iterator[Violation]:
    """The rules that one label breaks."""
    yield from _text(field, label, LABEL_MAX)


def _written(task: Task, now: datetime) -> Task:
    # A clock that was set back must not make time run backwards for a task.
    return replace(task, update_time=max(now, task.update_time), revision=task.revision + 1)


def _with_reminder(task: Task, now: datetime) -> Task:
    """One reminder for each due_time, while there is something to do; none for one that had passed when it was set."""
    due_time = task.fields.due_time
    is_open = task.delete_time is None and task.fields.status is not Status.DONE
    is_news = due_time not in (None, task.reminded_of) and (due_time == task.to_remind_of or due_time > now)
    return replace(task, to_remind_of=due_time if is_open and is_news else None)


def _title(title: str) -> Iterator[Violation]:
    yield from _text("task.title", title, TITLE_MAX)


def _description(description: str) -> Iterator[Violation]:
    if len(description) > DESCRIPTION_MAX:
        yield Violation("task.description", f"must be at most {DESCRIPTION_MAX:,} characters")
    if _has_control(description, allowed="\t\n\r"):
        yield Violation("task.description", "must have no control characters but tab, line feed and carriage return")


def _labels(labels: Sequence[str]) -> Iterator[Violation]:
    if len(labels) > LABELS_MAX:
        yield Violation("task.labels", f"must be at most {LABELS_MAX} labels")
        return
    for i, label in enumerate(labels):
        yield from label_violations(f"task.labels[{i}]", label)
        if label in labels[:i]:
            yield Violation(f"task.labels[{i}]", "must not repeat another label")


def _due(due_time: datetime | None) -> Iterator[Violation]:
    if due_time is not None and due_time < EARLIEST_DUE:
        yield Violation("task.due_time", "must not be before 1970")


def _text(field: str, text: str, longest: int) -> Iterator[Violation]:
    if not text.strip():
        yield Violation(field, "must not be blank")
    if len(text) > longest:
        yield Violation(field, f"must be at most {longest} characters")
    if _has_control(text):
        yield Violation(field, "must have no control characters")


def _has_control(text: str, allowed: str = "") -> bool:
    return any(unicodedata.category(character) == "Cc" and character not in allowed for character in text)
