"""The limits that the edge and the contract document are those that the services keep."""

import re

import pytest

from edge_api.schemas import limits
from notify_svc import domain as notifications
from task_svc import domain
from task_svc.grpc_api import list_request
from tests import ROOT


def test_the_documented_limits_of_tasks_are_the_domains() -> None:
    assert limits.TITLE_MAX == domain.TITLE_MAX
    assert limits.DESCRIPTION_MAX == domain.DESCRIPTION_MAX
    assert limits.LABELS_MAX == domain.LABELS_MAX
    assert limits.LABEL_MAX == domain.LABEL_MAX
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
