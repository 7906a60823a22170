"""The tables of the SQLite store, and the indexes for its listings.

Each order of a listing has three indexes: for all tasks of an owner, for one status, and for one label. Each index
begins with the columns that are compared for equality, and ends with the order's value and the id: a page is one scan.
"""

import sqlite3

ORDER_COLUMNS = ("create_time", "update_time", "due_rising", "due_falling", "priority")

_TABLES = """
CREATE TABLE tasks (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    request_id TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    status INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    labels TEXT NOT NULL,
    due_time INTEGER,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    complete_time INTEGER,
    delete_time INTEGER,
    revision INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    due_rising INTEGER NOT NULL,
    due_falling INTEGER NOT NULL,
    search_text TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX tasks_by_request ON tasks (owner, request_id);
CREATE INDEX tasks_to_purge ON tasks (delete_time) WHERE deleted = 1;

CREATE TABLE task_labels (
    task_id TEXT NOT NULL,
    label TEXT NOT NULL,
    owner TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    due_rising INTEGER NOT NULL,
    due_falling INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    PRIMARY KEY (task_id, label)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    task_id TEXT NOT NULL,
    slot TEXT NOT NULL,
    revision INTEGER NOT NULL,
    payload BLOB NOT NULL,
    occur_time INTEGER NOT NULL,
    look_at INTEGER NOT NULL,
    entry_id TEXT,
    looks INTEGER NOT NULL,
    PRIMARY KEY (task_id, slot)
) STRICT;
CREATE INDEX outbox_by_look ON outbox (look_at);
CREATE INDEX outbox_unpublished ON outbox (occur_time) WHERE entry_id IS NULL;
"""


_REMINDERS = """
ALTER TABLE tasks ADD COLUMN to_remind_of INTEGER;
ALTER TABLE tasks ADD COLUMN reminded_of INTEGER;
CREATE INDEX tasks_to_remind ON tasks (to_remind_of) WHERE to_remind_of IS NOT NULL;
"""


# The position of `text_migration`; no row if there is nothing to migrate.
_TEXT_MIGRATION = """
CREATE TABLE text_migration (last_id TEXT NOT NULL) STRICT;
INSERT INTO text_migration SELECT '' WHERE EXISTS (SELECT 1 FROM tasks);
"""


def create(connection: sqlite3.Connection) -> bool:
    """Create the tables, or migrate those of an older version.

    Returns False, without a change, for a file that a newer version wrote.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version < VERSION:
        script = "".join(_STEPS[version:])
        connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {VERSION}; COMMIT;")
    return bool(version <= VERSION)


def _first() -> str:
    indexes = "".join(
        f"CREATE INDEX tasks_by_{column} ON tasks (owner, deleted, {column}, id);"
        f"CREATE INDEX tasks_by_status_{column} ON tasks (owner, deleted, status, {column}, id);"
        f"CREATE INDEX labels_by_{column} ON task_labels (owner, label, deleted, {column}, task_id);"
        for column in ORDER_COLUMNS
    )
    return _TABLES + indexes


_STEPS = (_first(), _REMINDERS, _TEXT_MIGRATION)
"""The migration from each version to the next. Add steps; never change one."""
VERSION = len(_STEPS)
