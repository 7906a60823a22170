"""The enums of the domains and of the protos have the same members."""

from enum import Enum
from typing import Any, get_args

import pytest
from notify.v1 import notify_pb2
from task.v1 import events_pb2, task_pb2

from edge_api.schemas import responses
from edge_api.sse import frames
from notify_svc.domain import Kind, Notification, Outcome, Reason
from notify_svc.events.decode import InvalidEvent, decode
from notify_svc.grpc_api.convert import notification_to_proto
from task_svc.convert import task_to_proto
from task_svc.domain import Priority, Status
from task_svc.grpc_api import watch
from task_svc.outbox import EventType
from tests.support.notify_svc.task_events import created, entry
from tests.support.task_svc.tasks import new_task


def members(contract: Any, prefix: str) -> dict[str, int]:
    return {name.removeprefix(prefix): number for name, number in contract.items() if number}


@pytest.mark.parametrize(
    ("enum", "contract", "prefix"),
    [
        (Status, task_pb2.TaskStatus, "TASK_STATUS_"),
        (Priority, task_pb2.TaskPriority, "TASK_PRIORITY_"),
        (EventType, events_pb2.TaskEventType, "TASK_EVENT_TYPE_"),
    ],
)
def test_enum_numbers_of_the_protos_are_those_of_the_domain(enum: type[Enum], contract: Any, prefix: str) -> None:
    assert {member.name: member.value for member in enum} == members(contract, prefix)


@pytest.mark.parametrize(
    ("enum", "contract", "prefix"),
    [
        (Kind, notify_pb2.NotificationKind, "NOTIFICATION_KIND_"),
        (Outcome, notify_pb2.DeliveryOutcome, "DELIVERY_OUTCOME_"),
    ],
)
def test_enum_names_of_the_protos_are_those_of_the_domain(enum: type[Enum], contract: Any, prefix: str) -> None:
    assert {member.name for member in enum} == members(contract, prefix).keys()


TYPES = members(events_pb2.TaskEventType, "")
WATCHED = TYPES.keys() - {"TASK_EVENT_TYPE_DUE"}


@pytest.mark.parametrize("kind", Kind)
def test_grpc_and_rest_support_every_kind_of_notification(kind: Kind) -> None:
    message = notification_to_proto(Notification("id", kind, "ann", "task", "title", create_time_ms=0))
    assert notify_pb2.NotificationKind.Name(message.kind) == f"NOTIFICATION_KIND_{kind.name}"
    assert kind.name in get_args(responses.Notification.model_fields["kind"].annotation)


@pytest.mark.parametrize("name", sorted(WATCHED))
def test_watchers_get_every_type_of_event_except_reminders(name: str) -> None:
    event = created(1)
    event.task.CopyFrom(task_to_proto(new_task()))
    event.type = events_pb2.TaskEventType.Value(name)
    assert watch.item_of((1, 0), entry(event)) is not None, f"task_svc/grpc_api/watch.py does not know {name}"
    assert b"event: task." in frames.of_task(event).text()


def test_an_edge_sends_an_unknown_type_of_event_as_an_update() -> None:
    event = created(1)
    event.task.CopyFrom(task_to_proto(new_task()))
    event.type = 77  # type: ignore[assignment]
    assert b"event: task.updated" in frames.of_task(event).text()


@pytest.mark.parametrize("name", TYPES)
def test_the_notification_service_supports_every_type_of_event(name: str) -> None:
    event = created(1)
    event.event_id = "without a slot"
    event.type = events_pb2.TaskEventType.Value(name)
    with pytest.raises(InvalidEvent) as invalid:
        decode(entry(event))
    assert invalid.value.reason is Reason.ID_MISMATCH, f"notify_svc/events/decode.py does not know {name}"
