"""Conversion between JSON and proto messages."""

from types import SimpleNamespace
from typing import Any, cast, get_args

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from notify.v1 import notify_pb2
from pydantic import BaseModel, ValidationError
from task.v1 import task_pb2

from chassis.errors import InvalidInput
from edge_api.schemas import convert, fields, requests, responses
from tests.support.task_svc.tasks import FIELDS

A_TIME = Timestamp(seconds=1_790_000_000, nanos=5_000_000)
A_TASK = task_pb2.Task(
    title="Buy milk", status=task_pb2.TASK_STATUS_TODO, priority=task_pb2.TASK_PRIORITY_HIGH, due_time=A_TIME
)
A_NOTIFICATION = notify_pb2.Notification(
    kind=notify_pb2.NOTIFICATION_KIND_TASK_DUE,
    deliveries=[notify_pb2.Delivery(outcome=notify_pb2.DELIVERY_OUTCOME_DELIVERED, time=A_TIME)],
)


def patch(**given: object) -> tuple[task_pb2.Task, list[str]]:
    body = requests.TaskPatch.model_validate(given)
    return convert.task_of(body), convert.mask_of(body)


def test_the_mask_of_a_patch_has_exactly_its_fields() -> None:
    assert patch() == (task_pb2.Task(), [])
    assert patch(title="") == (task_pb2.Task(title=""), ["title"])
    assert patch(status="DONE", priority="LOW") == (
        task_pb2.Task(status=task_pb2.TASK_STATUS_DONE, priority=task_pb2.TASK_PRIORITY_LOW),
        ["status", "priority"],
    )


def test_null_in_a_patch_clears_an_optional_field() -> None:
    assert patch(description=None, labels=None, due_time=None) == (
        task_pb2.Task(),
        ["description", "labels", "due_time"],
    )


@pytest.mark.parametrize("name", ["title", "status", "priority"])
def test_null_in_a_patch_is_refused_for_a_required_field(name: str) -> None:
    with pytest.raises(ValidationError):
        patch(**{name: None})


def test_omitted_fields_of_a_new_task_are_unset() -> None:
    body = requests.NewTask.model_validate({"title": "a"})
    assert convert.task_of(body) == task_pb2.Task(title="a")


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        pytest.param(field, model, id=f"{model.__name__}.{field}")
        for message, model in (
            (task_pb2.Task, responses.Task),
            (notify_pb2.Notification, responses.Notification),
            (notify_pb2.Delivery, responses.Delivery),
        )
        for field in message.DESCRIPTOR.fields_by_name
    ],
)
def test_a_response_has_the_field_of_the_proto(field: str, shown: type[BaseModel]) -> None:
    assert field in shown.model_fields, f"{shown.__name__} in edge_api/schemas/responses.py lacks {field}"


@pytest.mark.parametrize(
    ("documented", "answer"),
    [
        (responses.TaskPage, convert.task_page_answer(task_pb2.ListTasksResponse(tasks=[A_TASK]))),
        (
            responses.NotificationPage,
            convert.notification_page_answer(notify_pb2.ListNotificationsResponse(notifications=[A_NOTIFICATION])),
        ),
    ],
)
def test_a_response_is_as_documented(documented: type[BaseModel], answer: convert.JsonObject) -> None:
    assert documented.model_validate(answer, strict=True).model_dump() == answer


@pytest.mark.parametrize("field", FIELDS)
def test_a_client_can_set_and_change_the_field_of_a_task(field: str) -> None:
    assert field in task_pb2.Task.DESCRIPTOR.fields_by_name, f"Task in protos/task/v1/task.proto lacks {field}"
    for body in (requests.NewTask, requests.TaskPatch):
        assert field in body.model_fields, f"{body.__name__} in edge_api/schemas/requests.py lacks {field}"


def test_every_enum_value_round_trips() -> None:
    assert len(get_args(fields.Status)) == len(task_pb2.TaskStatus.values()) - 1, "one word for each but UNSPECIFIED"
    assert len(get_args(fields.Priority)) == len(task_pb2.TaskPriority.values()) - 1
    for status in get_args(fields.Status):
        for priority in get_args(fields.Priority):
            message, _ = patch(status=status, priority=priority)
            answer = convert.task_answer(message)
            assert (answer["status"], answer["priority"]) == (status, priority)


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**100])
def test_a_number_beyond_its_proto_field_is_refused_with_the_name_of_the_field(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(convert, "EDITABLE", ("title", "revision"))
    given = SimpleNamespace(title="a", revision=number, model_fields_set={"title", "revision"})
    with pytest.raises(InvalidInput) as refused:
        convert.task_of(cast(Any, given))
    assert [violation.field for violation in refused.value.violations] == ["revision"]


@pytest.mark.parametrize(("given", "sent"), [(-(10**30), -1), (-1, -1), (0, 0), (200, 200), (10**30, 2**31 - 1)])
def test_a_page_size_always_fits_the_message(given: int, sent: int) -> None:
    assert convert.page_size_of(given) == sent


def test_marks_have_exactly_one_of_ids_and_all() -> None:
    assert list(convert.marks_of(requests.ReadMarks.model_validate({"ids": ["a"]})).ids) == ["a"]
    assert convert.marks_of(requests.ReadMarks.model_validate({"all": True})).all
    for given in ({}, {"ids": ["a"], "all": True}):
        with pytest.raises(InvalidInput):
            convert.marks_of(requests.ReadMarks.model_validate(given))
