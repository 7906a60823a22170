"""The queries of a listing on SQLite: each scans one index of `schema`, in the requested order.

The index covers all tasks of an owner, those of one status, or those with one label, live or deleted. The remaining
filters are checked on each task. The scan ends after SCAN_MAX tasks; the page's `next` then continues there.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from task_svc.repository import SCAN_MAX, Cursor, Filter, Order, Page, microseconds
from task_svc.sqlite.rows import TASK_COLUMNS, order_column, to_task

Parameters = dict[str, Any]

_OTHER_COLUMNS = ", ".join(f"tasks.{column}" for column in TASK_COLUMNS.split(", ") if column != "id")


@dataclass(frozen=True, slots=True)
class IndexScan:
    """A scan of an index in the requested order, with one branch for live tasks and one for deleted tasks.

    `source` is the table with its index; `value` and `id` are the columns that order it; `along` are the conditions
    that the index serves. `residual_filters` are checked on each task.
    """

    source: str
    value: str
    id: str
    descending: bool
    along: Sequence[str]
    residual_filters: Sequence[str]
    branches: Sequence[int]
    parameters: Parameters

    def select(self, columns: str, conditions: Sequence[str]) -> str:
        """Return a query for `columns` of the scanned tasks. SQLite merges the branches in order, without sorting."""
        direction = "DESC" if self.descending else "ASC"
        branches = [
            f"SELECT {self.id} AS id{columns}, {self.value} AS value FROM {self.source} "  # noqa: S608 (our own names)
            f"WHERE {' AND '.join([*self.along, f'{table_of(self.value)}.deleted = {branch}', *conditions])}"
            for branch in self.branches
        ]
        return f"{' UNION ALL '.join(branches)} ORDER BY value {direction}, id {direction}"

    def behind(self, position: Cursor) -> "IndexScan":
        """Return the scan that begins after a cursor."""
        sign = "<" if self.descending else ">"
        return replace(
            self,
            along=[*self.along, f"({self.value}, {self.id}) {sign} (:after_value, :after_id)"],
            parameters={**self.parameters, "after_value": position.value, "after_id": position.id},
        )

    def up_to(self, position: Cursor) -> "IndexScan":
        """Return the scan that ends at a cursor, inclusive."""
        sign = ">" if self.descending else "<"
        return replace(
            self,
            along=[*self.along, f"({self.value}, {self.id}) {sign}= (:end_value, :end_id)"],
            parameters={**self.parameters, "end_value": position.value, "end_id": position.id},
        )


def list_tasks(
    connection: sqlite3.Connection, owner: str, criteria: Filter, order: Order, after: Cursor | None, limit: int
) -> Page:
    """Return one page; see `TaskRepository.list`."""
    scan = plan(owner, criteria, order)
    if after is not None:
        scan = scan.behind(after)
    end = _window_end(connection, scan) if scan.residual_filters else None
    if end is not None:
        scan = scan.up_to(end)
    rows = connection.execute(page_query(scan), {**scan.parameters, "limit": limit + 1}).fetchall()
    tasks = [to_task(row) for row in rows[:limit]]
    if len(rows) > limit:
        return Page(tasks, Cursor(order.value(tasks[-1]), tasks[-1].id))
    return Page(tasks, end)


def plan(owner: str, criteria: Filter, order: Order) -> IndexScan:
    """Choose the index for a filter, and return its scan."""
    column = order_column(order)
    labels, statuses = list(criteria.labels), sorted(criteria.statuses)
    parameters: Parameters = {"owner": owner}
    if labels:
        source = f"task_labels INDEXED BY labels_by_{column} CROSS JOIN tasks ON tasks.id = task_labels.task_id"
        value, task_id = f"task_labels.{column}", "task_labels.task_id"
        along = ["task_labels.owner = :owner", "task_labels.label = :label"]
        parameters["label"] = labels.pop(0)
    else:
        index = f"tasks_by_status_{column}" if len(statuses) == 1 else f"tasks_by_{column}"
        source, value, task_id = f"tasks INDEXED BY {index}", f"tasks.{column}", "tasks.id"
        along = ["tasks.owner = :owner"]
        if len(statuses) == 1:
            along.append("tasks.status = :status")
            parameters["status"] = int(statuses.pop())
    residual_filters = _residual_filters(
        replace(criteria, labels=tuple(labels), statuses=frozenset(statuses)), parameters
    )
    branches = (0, 1) if criteria.show_deleted else (0,)
    return IndexScan(source, value, task_id, order.descending, along, residual_filters, branches, parameters)


def window_query(scan: IndexScan) -> str:
    """Return the query for the last task to scan for one page."""
    return f"{scan.select('', ())} LIMIT 1 OFFSET {SCAN_MAX - 1}"


def page_query(scan: IndexScan) -> str:
    """Return the query for the tasks of a page."""
    return f"{scan.select(f', {_OTHER_COLUMNS}', scan.residual_filters)} LIMIT :limit"


def table_of(column: str) -> str:
    """Return the table in a qualified column name."""
    return column.partition(".")[0]


def _window_end(connection: sqlite3.Connection, scan: IndexScan) -> Cursor | None:
    row = connection.execute(window_query(scan), scan.parameters).fetchone()
    return None if row is None else Cursor(row["value"], row["id"])


def _residual_filters(criteria: Filter, parameters: Parameters) -> list[str]:
    conditions = []
    if criteria.statuses:
        conditions.append(f"tasks.status IN ({_numbers(criteria.statuses)})")
    if criteria.priorities:
        conditions.append(f"tasks.priority IN ({_numbers(criteria.priorities)})")
    for i, label in enumerate(criteria.labels):
        parameters[f"label{i}"] = label
        conditions.append(f"EXISTS (SELECT 1 FROM task_labels WHERE task_id = tasks.id AND label = :label{i})")  # noqa: S608
    if criteria.due_after is not None:
        parameters["due_after"] = microseconds(criteria.due_after)
        conditions.append("tasks.due_time >= :due_after")
    if criteria.due_before is not None:
        parameters["due_before"] = microseconds(criteria.due_before)
        conditions.append("tasks.due_time < :due_before")
    if criteria.text:
        parameters["text"] = criteria.text
        conditions.append("instr(tasks.search_text, :text) > 0")
    return conditions


def _numbers(values: Iterable[int]) -> str:
    return ", ".join(str(int(value)) for value in sorted(values))
