"""Converts between protobuf messages and the domain.

Invalid values are collected in a list of violations, so that the caller gets all of them in one error. The result then
has a valid placeholder for each invalid value. Only `new_fields_from_proto` raises.
"""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from google.protobuf.timestamp_pb2 import Timestamp
from task.v1 import events_pb2, task_pb2

from chassis.errors import InvalidInput, Violation
from task_svc.domain import EPOCH, Priority, Status, Task, TaskFields, request_id_violations
from task_svc.outbox import Event

SCHEMA_VERSION = 1
CHANGEABLE = tuple(field.name for field in dataclasses.fields(TaskFields))
SET_BY_SERVICE = tuple(name for name in task_pb2.Task.DESCRIPTOR.fields_by_name if name not in CHANGEABLE)
_MICROSECOND = 1_000

E = TypeVar("E", Status, Priority)


def task_to_proto(task: Task, make: Callable[..., task_pb2.Task] = task_pb2.Task) -> task_pb2.Task:
    """Return the message of a task for its owner. `make` creates it from its fields."""
    fields = task.fields
    message = make(
        id=task.id,
        title=fields.title,
        description=fields.description,
        status=int(fields.status),  # the proto has the same numbers
        priority=int(fields.priority),
        labels=fields.labels,
        owner=task.owner,
        revision=task.revision,
        etag=task.etag,
    )
    _set(message.create_time, task.create_time)
    _set(message.update_time, task.update_time)
    if fields.due_time is not None:
        _set(message.due_time, fields.due_time)
    if task.complete_time is not None:
        _set(message.complete_time, task.complete_time)
    if task.delete_time is not None:
        _set(message.delete_time, task.delete_time)
    return message


def _set(message: Timestamp, time: datetime) -> None:
    # FromDatetime takes five times as long, and a page has hundreds of times.
    elapsed = time - EPOCH
    message.seconds = elapsed.days * 86_400 + elapsed.seconds
    message.nanos = elapsed.microseconds * _MICROSECOND


def event_to_bytes(event: Event) -> bytes:
    """Serialize an event as a TaskEvent message."""
    message = events_pb2.TaskEvent(
        event_id=str(event.id),
        type=int(event.type),  # type: ignore[arg-type]  # the proto has the same numbers
        schema_version=SCHEMA_VERSION,
        revision=event.task.revision,
        owner=event.task.owner,
        task=task_to_proto(event.task),
        request_id=event.request_id,
        traceparent=event.traceparent,
    )
    _set(message.occur_time, event.occur_time)
    return message.SerializeToString()


def new_fields_from_proto(request: task_pb2.CreateTaskRequest) -> TaskFields:
    """Return the fields of a new task. Raises InvalidInput for invalid values and for fields that the service sets."""
    given = {field.name for field, _ in request.task.ListFields()}
    violations = [Violation(f"task.{name}", "is set by the service") for name in SET_BY_SERVICE if name in given]
    fields = fields_from_proto(request.task, violations)
    if violations:
        raise InvalidInput(*violations, *fields.violations(), *request_id_violations(request.request_id))
    return fields


def fields_from_proto(message: task_pb2.Task, violations: list[Violation]) -> TaskFields:
    """Return the fields of a task that its owner sets."""
    return TaskFields(
        title=message.title,
        description=message.description,
        status=enum_from_proto(Status, message.status, "task.status", violations) if message.status else Status.TODO,
        priority=enum_from_proto(Priority, message.priority, "task.priority", violations)
        if message.priority
        else Priority.MEDIUM,
        labels=tuple(message.labels),
        due_time=time_from_proto(message.due_time, "task.due_time", violations)
        if message.HasField("due_time")
        else None,
    )


def enum_from_proto(kind: type[E], number: int, field: str, violations: list[Violation]) -> E:
    """Return the enum member with this number. For an unknown number, add a violation and return the first member."""
    try:
        return kind(number)
    except ValueError:
        names = ", ".join(member.name for member in kind)
        violations.append(Violation(field, f"must be one of {names}"))
        return next(iter(kind))


def time_from_proto(message: Timestamp, field: str, violations: list[Violation]) -> datetime | None:
    """Return a time, truncated to microseconds. Outside the years 1 to 9999, add a violation and return None."""
    try:
        # ToDatetime would round to the nearest microsecond, so truncate first.
        whole = Timestamp(seconds=message.seconds, nanos=message.nanos - message.nanos % _MICROSECOND)
        return whole.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        violations.append(Violation(field, "must be a time from year 1 to 9999"))
        return None
