"""The limits that the edge documents are those that the services keep."""

from edge_api.schemas import limits
from notify_svc import domain as notifications
from task_svc import domain
from task_svc.grpc_api import list_request


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
