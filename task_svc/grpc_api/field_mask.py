"""Field masks: which fields of a task an update changes (AIP-134)."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from google.protobuf.field_mask_pb2 import FieldMask
from task.v1 import task_pb2

from chassis.errors import InvalidInput, Violation
from task_svc.convert import CHANGEABLE, SET_BY_SERVICE, enum_from_proto, fields_from_proto
from task_svc.domain import Priority, Status, TaskFields

_MASK_VIOLATIONS_MAX = 20


def content_change(message: task_pb2.Task, mask: FieldMask) -> dict[str, object]:
    """Return the new values, by name, of the fields in the mask or, without a mask, of the fields that are set.

    Raises InvalidInput for unknown fields, for fields that the service sets, and for invalid values.
    """
    violations = [*islice(_mask_violations(mask), _MASK_VIOLATIONS_MAX)]
    named = mask.paths or [field.name for field, _ in message.ListFields()]
    paths = {path for path in named if path in CHANGEABLE}
    if "status" in paths and not message.status:
        enum_from_proto(Status, message.status, "task.status", violations)
    if "priority" in paths and not message.priority:
        enum_from_proto(Priority, message.priority, "task.priority", violations)
    fields = fields_from_proto(message, violations)
    change = {path: getattr(fields, path) for path in paths}
    if violations:
        # The base task has a valid title, so that only the changed fields are checked.
        raise InvalidInput(*violations, *apply(TaskFields("a"), change).violations())
    return change


def apply(fields: TaskFields, change: dict[str, object]) -> TaskFields:
    """Return the fields with the new values."""
    return replace(fields, **change)  # type: ignore[arg-type]  # content_change has checked the values


def _mask_violations(mask: FieldMask) -> Iterator[Violation]:
    for path in mask.paths:
        if path in SET_BY_SERVICE:
            yield Violation("update_mask", f"{path} is set by the service")
        elif path not in CHANGEABLE:
            yield Violation("update_mask", f"{path[:64]!r} is not a field that can be changed")
