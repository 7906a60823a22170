"""The queries of a listing on SQLite: always one walk along one index of `sqlite_schema`, in the order asked for.

A walk is all tasks of an owner, those of one status, or those with one label, live or deleted. What else the filter
asks is checked along the way; then the walk is cut off after SCAN_MAX tasks, and the page says where to go on.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from task_svc.repository import SCAN_MAX, Cursor, Filter, Order, Page, microseconds
from task_svc.sqlite.rows import TASK_COLUMNS, order_column, to_task

Parameters = dict[str, Any]

_OTHER_COLUMNS = ", ".join(f"tasks.{column}" for column in TASK_COLUMNS.split(", ") if column != "id")


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk along an index.

    `source` is the table that leads it, `value` and `id` the columns that order it, `along` the conditions that the
    index serves, `checks` those that are checked of each task; there is one arm for live tasks and one for deleted.
    """

    source: str
    value: str
    id: str
    descending: bool
    along: Sequence[str]
    checks: Sequence[str]
    arms: Sequence[int]
    parameters: Parameters

    def select(self, columns: str, conditions: Sequence[str]) -> str:
        """A query for `columns` of the tasks on the walk; arms are merged in order without sorting."""
        direction = "DESC" if self.descending else "ASC"
        arms = [
            f"SELECT {self.id} AS id, {self.value} AS value{columns} FROM {self.source} "  # noqa: S608 (our own names)
            f"WHERE {' AND '.join([*self.along, f'{table_of(self.value)}.deleted = {arm}', *conditions])}"
            for arm in self.arms
        ]
        return f"{' UNION ALL '.join(arms)} ORDER BY value {direction}, id {direction}"

    def behind(self, position: Cursor) -> "Walk":
        """The walk from a position on."""
        sign = "<" if self.descending else ">"
        return replace(
            self,
            along=[*self.along, f"({self.value}, {self.id}) {sign} (:after_value, :after_id)"],
            parameters={**self.parameters, "after_value": position.value, "after_id": position.id},
        )

    def up_to(self, position: Cursor) -> "Walk":
        """The walk as far as a position, and with it."""
        sign = ">" if self.descending else "<"
        return replace(
            self,
            along=[*self.along, f"({self.value}, {self.id}) {sign}= (:end_value, :end_id)"],
            parameters={**self.parameters, "end_value": position.value, "end_id": position.id},
        )


def list_tasks(
    connection: sqlite3.Connection, owner: str, which: Filter, order: Order, after: Cursor | None, limit: int
) -> Page:
    """One page; see `TaskRepository.list`."""
    walk = plan(owner, which, order)
    if after is not None:
        walk = walk.behind(after)
    end = _window_end(connection, walk) if walk.checks else None
    if end is not None:
        walk = walk.up_to(end)
    rows = connection.execute(page_query(walk), {**walk.parameters, "limit": limit + 1}).fetchall()
    tasks = [to_task(row) for row in rows[:limit]]
    if len(rows) > limit:
        return Page(tasks, Cursor(order.value(tasks[-1]), tasks[-1].id))
    return Page(tasks, end)


def plan(owner: str, which: Filter, order: Order) -> Walk:
    """Chooses the walk for a filter."""
    column = order_column(order)
    labels, statuses = list(which.labels), sorted(which.statuses)
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
    checks = _checks(replace(which, labels=tuple(labels), statuses=frozenset(statuses)), parameters)
    arms = (0, 1) if which.show_deleted else (0,)
    return Walk(source, value, task_id, order.descending, along, checks, arms, parameters)


def window_query(walk: Walk) -> str:
    """Finds the last task that may be looked at for one page."""
    return f"{walk.select('', ())} LIMIT 1 OFFSET {SCAN_MAX - 1}"


def page_query(walk: Walk) -> str:
    """Reads a page's tasks."""
    return f"{walk.select(f', {_OTHER_COLUMNS}', walk.checks)} LIMIT :limit"


def table_of(column: str) -> str:
    """The table of a column named with it."""
    return column.partition(".")[0]


def _window_end(connection: sqlite3.Connection, walk: Walk) -> Cursor | None:
    row = connection.execute(window_query(walk), walk.parameters).fetchone()
    return None if row is None else Cursor(row["value"], row["id"])


def _checks(which: Filter, parameters: Parameters) -> list[str]:
    checks = []
    if which.statuses:
        checks.append(f"tasks.status IN ({', '.join(str(int(status)) for status in sorted(which.statuses))})")
    if which.priorities:
        checks.append(f"tasks.priority IN ({', '.join(str(int(priority)) for priority in sorted(which.priorities))})")
    for i, label in enumerate(which.labels):
        parameters[f"label{i}"] = label
        checks.append(f"EXISTS (SELECT 1 FROM task_labels WHERE task_id = tasks.id AND label = :label{i})")  # noqa: S608
    if which.due_after is not None:
        parameters["due_after"] = microseconds(which.due_after)
        checks.append("tasks.due_time >= :due_after")
    if which.due_before is not None:
        parameters["due_before"] = microseconds(which.due_before)
        checks.append("tasks.due_time < :due_before")
    if which.text:
        parameters["text"] = which.text
        checks.append("instr(tasks.search_text, :text) > 0")
    return checks
