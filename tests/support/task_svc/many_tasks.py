"""A SQLite store with many tasks of one user."""

import sqlite3
from pathlib import Path

from task_svc.sqlite import schema

_FILL = """
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {tasks})
INSERT INTO tasks (id, owner, request_id, fingerprint, title, description, status, priority, labels, due_time,
    create_time, update_time, complete_time, delete_time, revision, deleted, due_rising, due_falling, search_text)
SELECT printf('%026d', n), 'ann', 'request-' || n, x'00', 'Task ' || n, '', n % 3 + 1, n % 4 + 1, '["common"]',
       n % 1000, n, n, NULL, CASE WHEN {deleted} THEN n END, 1, {deleted}, n % 1000, n % 1000, 'task ' || n
FROM numbers;
INSERT INTO task_labels
SELECT id, 'common', owner, deleted, create_time, update_time, due_rising, due_falling, priority FROM tasks;
"""


def many_tasks(path: Path, tasks: int, deleted: str = "n % 2") -> sqlite3.Connection:
    """Fill the store at `path`, and return a connection. `deleted` says which tasks `n` are deleted."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous = OFF")
    schema.create(connection)
    connection.executescript(f"BEGIN; {_FILL.format(tasks=tasks, deleted=deleted)} COMMIT;")
    return connection
