"""The limits that the edge and the contract document are those that the services keep."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chassis.errors import InvalidInput
from edge_api.schemas import limits, requests
from notify_svc import domain as notifications
from task_svc import domain
from task_svc.grpc_api import list_request
from tests import ROOT


def bounded() -> Iterator[Any]:
    """The fields of a new task with a documented limit: a value at the limit, and one beyond it."""
    for field, schema in requests.NewTask.model_json_schema()["properties"].items():
        for each in schema.get("anyOf", [schema]):
            if (most := each.get("maxLength")) is not None:
                yield pytest.param(field, "x" * most, "x" * (most + 1), id=field)
            if (most := each.get("maxItems")) is not None:
                labels = tuple(str(number) for number in range(most + 1))
                yield pytest.param(field, labels[:-1], labels, id=field)
                longest = each["items"]["maxLength"]
                yield pytest.param(field, ("x" * longest,), ("x" * (longest + 1),), id=f"{field}[]")
            if (most := each.get("maximum")) is not None:
                yield pytest.param(field, most, most + 1, id=field)


@pytest.mark.parametrize(("field", "last", "beyond"), [*bounded()])
def test_the_documented_limit_of_a_task_is_the_domains(field: str, last: Any, beyond: Any) -> None:
    replace(domain.TaskFields("a"), **{field: last}).check()
    with pytest.raises(InvalidInput) as refused:
        replace(domain.TaskFields("a"), **{field: beyond}).check()
    assert all(violation.field.startswith(f"task.{field}") for violation in refused.value.violations)


def test_the_documented_limits_of_requests_are_the_domains() -> None:
    assert limits.QUERY_MAX == domain.QUERY_MAX
    assert limits.IDEMPOTENCY_KEY_MAX == domain.REQUEST_ID_MAX


def test_the_documented_page_sizes_are_the_services() -> None:
    assert limits.PAGE_SIZE_DEFAULT == list_request.PAGE_SIZE
    assert limits.PAGE_SIZE_MAX == list_request.PAGE_SIZE_MAX


def test_the_documented_limits_of_notifications_are_the_services() -> None:
    assert limits.MARK_READ_MAX == notifications.MARK_IDS_MAX
    assert limits.PAGE_SIZE_DEFAULT == notifications.PAGE_SIZE_DEFAULT
    assert limits.PAGE_SIZE_MAX == notifications.PAGE_SIZE_MAX


@pytest.mark.parametrize(
    ("field", "limits"),
    [
        ("title", {domain.TITLE_MAX}),
        ("description", {domain.DESCRIPTION_MAX}),
        ("labels", {domain.LABELS_MAX, domain.LABEL_MAX}),
        ("request_id", {domain.REQUEST_ID_MAX}),
        ("query", {domain.QUERY_MAX}),
        ("page_size", {list_request.PAGE_SIZE, list_request.PAGE_SIZE_MAX}),
    ],
)
def test_the_contract_names_the_limit_of(field: str, limits: set[int]) -> None:
    proto = (ROOT / "protos/task/v1/task.proto").read_text()
    commented = re.search(rf"((?:  //[^\n]*\n)+)  [\w ]+ {field} = \d+;", proto)
    assert commented
    assert limits <= {int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", commented[1])}
