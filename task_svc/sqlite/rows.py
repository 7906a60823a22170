"""Converts between tasks and rows, and writes the rows of labels."""

import json
import sqlite3
from typing import Any

from pydantic import TypeAdapter

from task_svc.domain import Task
from task_svc.repository import STORED_FIELDS, Order, SortKey, from_stored, searchable, to_stored
from task_svc.sqlite.schema import ORDER_COLUMNS

TASK_COLUMNS = ", ".join(STORED_FIELDS)
_LABEL_COLUMNS = ("task_id", "label", "owner", "deleted", *ORDER_COLUMNS)

_LABELS = TypeAdapter(tuple[str, ...])

_RISING = Order(SortKey.DUE_TIME, descending=False)
_FALLING = Order(SortKey.DUE_TIME, descending=True)


def order_column(order: Order) -> str:
    """Return the name of the column with an order's value."""
    if order.key is SortKey.DUE_TIME:
        return "due_falling" if order.descending else "due_rising"
    return order.key.value


def task_values(task: Task) -> dict[str, Any]:
    """Return the column values that a write of a task sets."""
    values = to_stored(task)
    return {
        **values,
        "labels": json.dumps(values["labels"], ensure_ascii=False),
        "deleted": int(task.delete_time is not None),
        "due_rising": _RISING.value(task),
        "due_falling": _FALLING.value(task),
        "search_text": searchable(task.fields),
    }


def write_labels(connection: sqlite3.Connection, task: Task, values: dict[str, Any]) -> None:
    """Replace the labels of a task; `values` are its `task_values`."""
    connection.execute("DELETE FROM task_labels WHERE task_id = ?", (task.id,))
    connection.executemany(
        f"INSERT INTO task_labels ({', '.join(_LABEL_COLUMNS)}) "  # noqa: S608 (our own names)
        f"VALUES ({', '.join(f':{name}' for name in _LABEL_COLUMNS)})",
        [{**values, "task_id": task.id, "label": label} for label in task.fields.labels],
    )


def to_task(row: sqlite3.Row) -> Task:
    """Return the task in a row that begins with TASK_COLUMNS."""
    values = dict(zip(STORED_FIELDS, row, strict=False))  # dict(row) would search each column by its name
    values["labels"] = _LABELS.validate_json(values["labels"])
    return from_stored(values)
