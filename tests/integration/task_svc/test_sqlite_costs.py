"""The costs of listings on SQLite, from query plans and the work for 100,000 tasks."""

import sqlite3
from collections.abc import Iterator

import pytest

from task_svc.domain import Status
from task_svc.repository import SCAN_MAX, Cursor, Filter, Order, Page, SortKey
from task_svc.sqlite.listing import list_tasks, page_query, plan, window_query
from tests.support.task_svc.many_tasks import many_tasks

TASKS = 100_000
EVERY_ORDER = [Order(key, descending) for key in SortKey for descending in (False, True)]
FLAT = {
    "unfiltered": Filter(),
    "one status": Filter(statuses=frozenset({Status.TODO})),
    "one label": Filter(labels=("common",)),
    "with deleted": Filter(show_deleted=True),
}
BOUNDED = {
    "two statuses": Filter(statuses=frozenset({Status.TODO, Status.DONE})),
    "text without a match": Filter(text="nowhere"),
    "label and status": Filter(labels=("common",), statuses=frozenset({Status.DONE})),
    "two labels, deleted too": Filter(labels=("common", "never"), show_deleted=True),
}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    connection = many_tasks(tmp_path_factory.mktemp("large") / "tasks.db", TASKS)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    connection = many_tasks(tmp_path_factory.mktemp("small") / "tasks.db", TASKS // 50)
    yield connection
    connection.close()


def plan_of(connection: sqlite3.Connection, query: str, parameters: dict[str, object]) -> list[str]:
    return [row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", parameters)]


def work_of(connection: sqlite3.Connection, criteria: Filter, order: Order, after: Cursor | None = None) -> int:
    """Return the virtual machine steps of the page after `after` (default: the second page), in hundreds."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 100

    after = after or list_tasks(connection, "ann", criteria, order, None, 50).next
    connection.set_progress_handler(count, 100)
    page = list_tasks(connection, "ann", criteria, order, after, 50)
    connection.set_progress_handler(None, 0)
    assert len(page.tasks) == 50 or page.next
    return steps


@pytest.mark.parametrize("order", EVERY_ORDER, ids=str)
@pytest.mark.parametrize("criteria", [*FLAT.values(), *BOUNDED.values()], ids=[*FLAT, *BOUNDED])
def test_every_listing_scans_one_index_in_order_without_sorting(
    large: sqlite3.Connection, criteria: Filter, order: Order
) -> None:
    after = list_tasks(large, "ann", criteria, order, None, 1).next
    assert after is not None
    scan = plan("ann", criteria, order).behind(after)
    queries = [(page_query(scan), {**scan.parameters, "limit": 51})]
    if scan.residual_filters:
        queries.append((window_query(scan), scan.parameters))
        ended = scan.up_to(after)
        queries.append((page_query(ended), {**ended.parameters, "limit": 51}))

    for query, parameters in queries:
        steps = plan_of(large, query, parameters)
        assert not any("TEMP B-TREE" in step or step.startswith("SCAN") for step in steps), steps
        assert any("(owner=? AND" in step and ",id)" in step.replace("task_id", "id") for step in steps), steps


@pytest.mark.parametrize("order", EVERY_ORDER, ids=str)
@pytest.mark.parametrize("criteria", FLAT.values(), ids=FLAT)
def test_a_page_costs_the_same_with_fifty_times_the_tasks(
    large: sqlite3.Connection, small: sqlite3.Connection, criteria: Filter, order: Order
) -> None:
    assert work_of(large, criteria, order) <= 1.2 * work_of(small, criteria, order) + 500


@pytest.mark.parametrize("criteria", BOUNDED.values(), ids=BOUNDED)
def test_any_other_filter_scans_at_most_the_limit(large: sqlite3.Connection, criteria: Filter) -> None:
    for order in EVERY_ORDER:
        assert work_of(large, criteria, order) <= 60 * SCAN_MAX


def test_a_deep_page_costs_what_the_first_does(large: sqlite3.Connection) -> None:
    order = Order(SortKey.CREATE_TIME, descending=False)
    deep: Page = list_tasks(large, "ann", Filter(), order, None, TASKS // 2 - 200)

    assert work_of(large, Filter(), order, deep.next) <= 1.2 * work_of(large, Filter(), order) + 500
