"""The enums of the services and of the contract have the same members."""

from enum import Enum
from typing import Any

import pytest
from notify.v1 import notify_pb2
from task.v1 import events_pb2, task_pb2

from notify_svc.domain import Kind, Outcome, Reason
from notify_svc.events.decode import InvalidEvent, decode
from task_svc.domain import Priority, Status
from task_svc.outbox import EventType
from tests.support.notify_svc.task_events import created, entry


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
def test_a_number_of_the_contract_is_that_of_the_domain(enum: type[Enum], contract: Any, prefix: str) -> None:
    assert {member.name: member.value for member in enum} == members(contract, prefix)


@pytest.mark.parametrize(
    ("enum", "contract", "prefix"),
    [
        (Kind, notify_pb2.NotificationKind, "NOTIFICATION_KIND_"),
        (Outcome, notify_pb2.DeliveryOutcome, "DELIVERY_OUTCOME_"),
    ],
)
def test_a_name_of_the_contract_is_that_of_the_domain(enum: type[Enum], contract: Any, prefix: str) -> None:
    assert {member.name for member in enum} == members(contract, prefix).keys()


@pytest.mark.parametrize("name", members(events_pb2.TaskEventType, ""))
def test_the_notification_service_knows_every_type_of_event(name: str) -> None:
    event = created(1)
    event.event_id = "of no slot"
    event.type = events_pb2.TaskEventType.Value(name)
    with pytest.raises(InvalidEvent) as invalid:
        decode(entry(event))
    assert invalid.value.reason is Reason.ID_MISMATCH, f"notify_svc/events/decode.py does not know {name}"
