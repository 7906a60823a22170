"""The limits that the edge and the protos document are the limits that the services enforce."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from chassis.errors import InvalidInput
from edge_api.schemas import limits, requests
from notify_svc import domain as notifications
from task_svc import domain
from task_svc.grpc_api import list_request
from tests import ROOT


def schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the fields of a new task, each with its schema; a list is followed by the schema of its items."""
    for field, schema in requests.NewTask.model_json_schema()["properties"].items():
        for each in schema.get("anyOf", [schema]):
            yield field, each
            if "items" in each:
                yield field, {f"items.{name}": value for name, value in each["items"].items()}


def bounded() -> Iterator[Any]:
    """Yield each documented limit with a value at the limit and one beyond it."""
    makers: dict[str, Callable[[int], Any]] = {
        "Length": lambda length: "x" * length,
        "Items": lambda length: tuple(str(number) for number in range(length)),
        "imum": lambda number: number,
        "items.Length": lambda length: ("x" * length,),
    }
    for field, schema in schemas():
        for kind, make in makers.items():
            prefix, dot, rest = kind.rpartition(".")
            for bound, step in (("max", 1), ("min", -1)):
                limit = schema.get(f"{prefix}{dot}{bound}{rest}")
                if limit is not None:
                    yield pytest.param(field, make(limit), make(limit + step), id=f"{field}-{prefix}{dot}{bound}{rest}")


@pytest.mark.parametrize(("field", "last", "beyond"), [*bounded()])
def test_the_documented_limit_of_a_task_is_that_of_the_domain(field: str, last: Any, beyond: Any) -> None:
    replace(domain.TaskFields("a"), **{field: last}).check()
    with pytest.raises(InvalidInput) as refused:
        replace(domain.TaskFields("a"), **{field: beyond}).check()
    assert all(violation.field.startswith(f"task.{field}") for violation in refused.value.violations)


def test_the_documented_limits_of_requests_are_those_of_the_domain() -> None:
    assert limits.QUERY_MAX == domain.QUERY_MAX
    assert limits.IDEMPOTENCY_KEY_MAX == domain.REQUEST_ID_MAX


def test_the_documented_page_sizes_are_those_of_the_task_service() -> None:
    assert limits.PAGE_SIZE_DEFAULT == list_request.PAGE_SIZE
    assert limits.PAGE_SIZE_MAX == list_request.PAGE_SIZE_MAX


def test_the_documented_limits_of_notifications_are_those_of_the_notification_service() -> None:
    assert limits.MARK_READ_MAX == notifications.MARK_IDS_MAX
    assert limits.PAGE_SIZE_DEFAULT == notifications.PAGE_SIZE_DEFAULT
    assert limits.PAGE_SIZE_MAX == notifications.PAGE_SIZE_MAX


@pytest.mark.parametrize(("field", "schema"), [*schemas()])
def test_the_proto_documents_the_limits_of_a_task(field: str, schema: dict[str, Any]) -> None:
    most = {int(value) for name, value in schema.items() if name.rpartition(".")[2].startswith("max")}
    assert most <= numbers_in_the_comment_of(field)


@pytest.mark.parametrize(
    ("field", "named"),
    [
        ("request_id", {domain.REQUEST_ID_MAX}),
        ("query", {domain.QUERY_MAX}),
        ("page_size", {list_request.PAGE_SIZE, list_request.PAGE_SIZE_MAX}),
    ],
)
def test_the_proto_documents_the_limits_of_requests(field: str, named: set[int]) -> None:
    assert named <= numbers_in_the_comment_of(field)


def numbers_in_the_comment_of(field: str) -> set[int]:
    proto = (ROOT / "protos/task/v1/task.proto").read_text()
    commented = re.search(rf"((?:  //[^\n]*\n)+)  [\w. ]+ {field} = \d+;", proto)
    assert commented, f"protos/task/v1/task.proto has no comment above {field}"
    return {int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", commented[1])}
