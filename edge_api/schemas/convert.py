"""Convert between the JSON models of the API and the proto messages of the services."""

from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from notify.v1 import notify_pb2
from task.v1 import task_pb2

from chassis.errors import InvalidInput, Violation
from edge_api.schemas import requests, responses

EDITABLE = tuple(name for name in task_pb2.Task.DESCRIPTOR.fields_by_name if name in requests.NewTask.model_fields)
SET_BY_SERVICE = frozenset(task_pb2.Task.DESCRIPTOR.fields_by_name) - set(EDITABLE)
_INT32_MAX = 2**31 - 1


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


def task_answer(task: task_pb2.Task) -> responses.Task:
    """Return the JSON model of a task."""
    return responses.Task(
        id=task.id,
        title=task.title,
        description=task.description,
        status=_short(task_pb2.TaskStatus.Name(task.status), "TASK_STATUS_"),
        priority=_short(task_pb2.TaskPriority.Name(task.priority), "TASK_PRIORITY_"),
        labels=list(task.labels),
        due_time=_optional_time(task, "due_time"),
        owner=task.owner,
        create_time=task.create_time.ToJsonString(),
        update_time=task.update_time.ToJsonString(),
        complete_time=_optional_time(task, "complete_time"),
        delete_time=_optional_time(task, "delete_time"),
        revision=task.revision,
        etag=task.etag,
    )


def task_page_answer(page: task_pb2.ListTasksResponse) -> responses.TaskPage:
    """Return the JSON model of a page of tasks."""
    tasks = [task_answer(task) for task in page.tasks]
    return responses.TaskPage(tasks=tasks, next_page_token=page.next_page_token)


def notification_page_answer(page: notify_pb2.ListNotificationsResponse) -> responses.NotificationPage:
    """Return the JSON model of a page of notifications."""
    return responses.NotificationPage(
        notifications=[notification_answer(notification) for notification in page.notifications],
        next_page_token=page.next_page_token,
        unread_count=page.unread_count,
    )


def notification_answer(notification: notify_pb2.Notification) -> responses.Notification:
    """Return the JSON model of a notification."""
    return responses.Notification(
        id=notification.id,
        kind=_short(notify_pb2.NotificationKind.Name(notification.kind), "NOTIFICATION_KIND_"),
        task_id=notification.task_id,
        title=notification.title,
        create_time=notification.create_time.ToJsonString(),
        read_time=_optional_time(notification, "read_time"),
        deliveries=[_delivery_answer(delivery) for delivery in notification.deliveries],
    )


def _delivery_answer(delivery: notify_pb2.Delivery) -> responses.Delivery:
    return responses.Delivery(
        channel=delivery.channel,
        outcome=_short(notify_pb2.DeliveryOutcome.Name(delivery.outcome), "DELIVERY_OUTCOME_"),
        attempts=delivery.attempts,
        time=_optional_time(delivery, "time"),
    )


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


def _short(name: str, prefix: str) -> Any:
    return name.removeprefix(prefix)


def _optional_time(message: Message, field: str) -> str | None:
    time: Timestamp = getattr(message, field)
    return time.ToJsonString() if message.HasField(field) else None
