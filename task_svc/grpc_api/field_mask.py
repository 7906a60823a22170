"""Field masks: which fields of a task an update changes (AIP-134)."""

from collections.abc import Iterator
from dataclasses import replace

from google.protobuf.field_mask_pb2 import FieldMask
from task.v1 import task_pb2

from chassis.errors import InvalidInput, Violation
from task_svc.convert import CHANGEABLE, SET_BY_SERVICE, enum_from_proto, fields_from_proto
from task_svc.domain import Priority, Status, TaskFields


def paths_of(message: task_pb2.Task, mask: FieldMask) -> frozenset[str]:
    """The fields to change: those that the mask names, or without one those that are set.

    Raises InvalidInput for a field that is not known or that only the service sets.
    """
    if not mask.paths:
        return frozenset(field.name for field, _ in message.ListFields()) & frozenset(CHANGEABLE)
    violations = [*_mask_violations(mask)]
    if violations:
        raise InvalidInput(*violations)
    return frozenset(mask.paths)


def content_change(message: task_pb2.Task, paths: frozenset[str]) -> dict[str, object]:
    """The new values of the fields at `paths`. Raises InvalidInput for an enum value or a time that is none."""
    violations: list[Violation] = []
    if "status" in paths and not message.status:
        enum_from_proto(Status, message.status, "task.status", violations)
    if "priority" in paths and not message.priority:
        enum_from_proto(Priority, message.priority, "task.priority", violations)
    given = fields_from_proto(message, violations)
    change = {path: getattr(given, path) for path in paths}
    if violations:
        raise InvalidInput(*violations, *apply(TaskFields("a"), change).violations())
    return change


def apply(fields: TaskFields, change: dict[str, object]) -> TaskFields:
    """The content with the new values."""
    return replace(fields, **change)  # type: ignore[arg-type]  # made by content_change


def _mask_violations(mask: FieldMask) -> Iterator[Violation]:
    for path in mask.paths:
        if path in SET_BY_SERVICE:
            yield Violation("update_mask", f"{path} is set by the service")
        elif path not in CHANGEABLE:
            yield Violation("update_mask", f"{path[:64]!r} is not a field that can be changed")
