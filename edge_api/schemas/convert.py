"""Convert between the JSON of the API and the proto messages of the services.

Responses are plain dictionaries: pydantic models would take longer than the rest of the edge for a page of tasks.
"""

from functools import lru_cache
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from notify.v1 import notify_pb2
from task.v1 import task_pb2

from chassis.errors import InvalidInput, Violation
from edge_api.schemas import requests

EDITABLE = tuple(name for name in task_pb2.Task.DESCRIPTOR.fields_by_name if name in requests.NewTask.model_fields)
SET_BY_SERVICE = frozenset(task_pb2.Task.DESCRIPTOR.fields_by_name) - set(EDITABLE)
JsonObject = dict[str, Any]
_INT32_MAX = 2**31 - 1


def _short_names(enum: Any, prefix: str) -> dict[int, str]:
    return {number: name.removeprefix(prefix) for name, number in enum.items()}


_STATUSES = _short_names(task_pb2.TaskStatus, "TASK_STATUS_")
_PRIORITIES = _short_names(task_pb2.TaskPriority, "TASK_PRIORITY_")
_KINDS = _short_names(notify_pb2.NotificationKind, "NOTIFICATION_KIND_")
_OUTCOMES = _short_names(notify_pb2.DeliveryOutcome, "DELIVERY_OUTCOME_")


def task_of(given: requests.NewTask | requests.TaskPatch) -> task_pb2.Task:
    """Return the message with the fields that the client sent; null becomes an unset field.

    Raises InvalidInput for a number that does not fit into its proto field.
    """
    values = {name: getattr(given, name) for name in EDITABLE if name in given.model_fields_set}
    fields: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
    if "status" in fields:
        fields["status"] = _status_number(fields["status"])
    if "priority" in fields:
        fields["priority"] = _priority_number(fields["priority"])
    try:
        return task_pb2.Task(**fields)
    except ValueError:
        too_large = [name for name, value in fields.items() if not _fits(name, value)]
        if not too_large:
            raise
        raise InvalidInput(*(Violation(name, "is out of range") for name in too_large)) from None


def mask_of(patch: requests.TaskPatch) -> list[str]:
    """Return the field mask paths of a merge patch."""
    return [name for name in EDITABLE if name in patch.model_fields_set]


def list_request_of(query: requests.ListTasksQuery) -> task_pb2.ListTasksRequest:
    """Return the request for a page of tasks."""
    return task_pb2.ListTasksRequest(
        page_size=page_size_of(query.page_size),
        page_token=query.page_token,
        order_by=query.order_by,
        statuses=[_status_number(status) for status in query.statuses],
        priorities=[_priority_number(priority) for priority in query.priorities],
        labels=query.labels,
        due_before=query.due_before,
        due_after=query.due_after,
        query=query.query,
        show_deleted=query.show_deleted,
    )


def page_size_of(number: int) -> int:
    """Return a page size that fits into int32; the service applies its own, much smaller limit."""
    return max(-1, min(number, _INT32_MAX))


def marks_of(given: requests.ReadMarks) -> notify_pb2.MarkNotificationsReadRequest:
    """Return the request to mark notifications. Raises InvalidInput unless exactly one of ids and all is set."""
    is_one = len(given.model_fields_set) == 1
    if not is_one or ("all" in given.model_fields_set and not given.all):
        violation = Violation("", "must have exactly one of ids and all, and all must be true")
        raise InvalidInput(violation, reason="INVALID_MARKS")
    return notify_pb2.MarkNotificationsReadRequest(ids=given.ids, all=given.all)


def task_answer(task: task_pb2.Task) -> JsonObject:
    """Return a task as `responses.Task` documents it."""
    return {
        "id": task.id,
        "title": task.title,
        "description": task.description,
        "status": _STATUSES[task.status],
        "priority": _PRIORITIES[task.priority],
        "labels": list(task.labels),
        "due_time": _optional_time(task, "due_time"),
        "owner": task.owner,
        "create_time": _time(task.create_time),
        "update_time": _time(task.update_time),
        "complete_time": _optional_time(task, "complete_time"),
        "delete_time": _optional_time(task, "delete_time"),
        "revision": task.revision,
        "etag": task.etag,
    }


def task_page_answer(page: task_pb2.ListTasksResponse) -> JsonObject:
    """Return a page of tasks as `responses.TaskPage` documents it."""
    return {"tasks": [task_answer(task) for task in page.tasks], "next_page_token": page.next_page_token}


def notification_page_answer(page: notify_pb2.ListNotificationsResponse) -> JsonObject:
    """Return a page of notifications as `responses.NotificationPage` documents it."""
    return {
        "notifications": [notification_answer(notification) for notification in page.notifications],
        "next_page_token": page.next_page_token,
        "unread_count": page.unread_count,
    }


def notification_answer(notification: notify_pb2.Notification) -> JsonObject:
    """Return a notification as `responses.Notification` documents it."""
    return {
        "id": notification.id,
        "kind": _KINDS[notification.kind],
        "task_id": notification.task_id,
        "title": notification.title,
        "create_time": _time(notification.create_time),
        "read_time": _optional_time(notification, "read_time"),
        "deliveries": [_delivery_answer(delivery) for delivery in notification.deliveries],
    }


def _delivery_answer(delivery: notify_pb2.Delivery) -> JsonObject:
    return {
        "channel": delivery.channel,
        "outcome": _OUTCOMES[delivery.outcome],
        "attempts": delivery.attempts,
        "time": _optional_time(delivery, "time"),
    }


def _fits(name: str, value: Any) -> bool:
    try:
        task_pb2.Task(**{name: value})
    except ValueError:
        return False
    return True


def _status_number(short: str) -> task_pb2.TaskStatus.ValueType:
    return task_pb2.TaskStatus.Value(f"TASK_STATUS_{short}")


def _priority_number(short: str) -> task_pb2.TaskPriority.ValueType:
    return task_pb2.TaskPriority.Value(f"TASK_PRIORITY_{short}")


def _optional_time(message: Message, field: str) -> str | None:
    return _time(getattr(message, field)) if message.HasField(field) else None


def _time(time: Timestamp) -> str:
    return _time_text(time.seconds, time.nanos)


@lru_cache(maxsize=10_000)
def _time_text(seconds: int, nanos: int) -> str:
    return Timestamp(seconds=seconds, nanos=nanos).ToJsonString()
