"""A million tasks of one user, listed in every order down to the last pages (row F7)."""

import statistics
import time
from contextlib import closing
from pathlib import Path

import pytest

from task_svc.repository import Cursor, Filter, Order
from task_svc.sqlite.listing import list_tasks, plan
from tests.faults.harness.report import Record
from tests.integration.task_svc.test_sqlite_costs import EVERY_ORDER, FLAT, work_of
from tests.support.task_svc.many_tasks import many_tasks

TASKS = 1_000_000
DEPTH = 0.9
SAMPLES = 20


@pytest.mark.faults
def test_a_deep_page_of_a_million_tasks_costs_the_same_as_the_first(tmp_path: Path, record_property: Record) -> None:
    with closing(many_tasks(tmp_path / "tasks.db", TASKS)) as store:

        def behind(criteria: Filter, order: Order, place: int) -> Cursor:
            scan = plan("ann", criteria, order)
            row = store.execute(f"{scan.select('', ())} LIMIT 1 OFFSET {place}", scan.parameters).fetchone()
            return Cursor(row["value"], row["id"])

        def milliseconds(criteria: Filter, order: Order, after: Cursor) -> float:
            took = []
            for _ in range(SAMPLES):
                begun = time.perf_counter()
                list_tasks(store, "ann", criteria, order, after, 50)
                took.append(1000 * (time.perf_counter() - begun))
            return statistics.median(took)

        steps, times = [], []
        for name, criteria in FLAT.items():
            live = TASKS if criteria.show_deleted else TASKS // 6 if criteria.statuses else TASKS // 2
            for order in EVERY_ORDER:
                first, deep = (behind(criteria, order, int(place)) for place in (50, DEPTH * live))
                steps.append(work_of(store, criteria, order, deep) / work_of(store, criteria, order, first))
                listed = f"{name}, {order.key.value} {'desc' if order.descending else 'asc'}"
                times.append((milliseconds(criteria, order, deep), milliseconds(criteria, order, first), listed))
    slowest, *_, listed = max(times)
    ratio = max(deep / first for deep, first, *_ in times)
    record_property(
        "fault",
        f"F7      {TASKS:,} tasks of one user: a page at {DEPTH:.0%} of the depth takes, compared with the first, at "
        f"most {max(steps):.2f} times the steps and {ratio:.1f} times the time; slowest {slowest:.1f} ms ({listed})",
    )

    assert max(steps) <= 1.5
    assert slowest <= 50
