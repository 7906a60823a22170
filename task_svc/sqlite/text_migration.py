"""Migrates the search text and the labels of the rows that an earlier release wrote, in batches.

The table `text_migration` has one row, the id of the last migrated task, until all rows are migrated. A batch is read
and converted without a lock; its write is as short as other writes. Rows that were changed meanwhile need no migration.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from task_svc.domain import Task
from task_svc.sqlite.rows import TASK_COLUMNS, task_values, to_task, write_labels


@dataclass(frozen=True, slots=True)
class Batch:
    """The tasks to write, each with whether its labels change; and the last id, None if it was the last of all."""

    tasks: Sequence[tuple[Task, bool]]
    last_id: str | None


def read(connection: sqlite3.Connection, limit: int) -> Batch | None:
    """Return the next batch, of at most `limit` tasks, or None if all tasks are migrated."""
    position = connection.execute("SELECT last_id FROM text_migration").fetchone()
    if position is None:
        return None
    rows = connection.execute(
        f"SELECT {TASK_COLUMNS}, search_text FROM tasks WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608 (our own names)
        (position["last_id"], limit),
    ).fetchall()
    return Batch([*_outdated(rows)], rows[-1]["id"] if len(rows) == limit else None)


def write(connection: sqlite3.Connection, batch: Batch) -> None:
    """Write a batch and its position."""
    for task, has_new_labels in batch.tasks:
        values = task_values(task)
        written = connection.execute(
            "UPDATE tasks SET search_text = :search_text, labels = :labels WHERE id = :id AND revision = :revision",
            values,
        )
        if written.rowcount and has_new_labels:  # they have five indexes
            write_labels(connection, task, values)
    if batch.last_id is None:
        connection.execute("DELETE FROM text_migration")
    else:
        connection.execute("UPDATE text_migration SET last_id = ?", (batch.last_id,))


def _outdated(rows: Sequence[sqlite3.Row]) -> Iterator[tuple[Task, bool]]:
    for row in rows:
        task = to_task(row)
        values = task_values(task)
        has_new_labels = values["labels"] != row["labels"]
        if has_new_labels or values["search_text"] != row["search_text"]:
            yield task, has_new_labels
