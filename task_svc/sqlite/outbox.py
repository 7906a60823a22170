"""The outbox in the SQLite store: one row per slot, written in the same transaction as its task."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from task_svc.outbox import KEPT_UNTIL_CONFIRMED, Backlog, EventId, OutboxEntry, PublishMark, Slot
from task_svc.repository import from_microseconds, microseconds

_SLOT = "task_id = ? AND slot = ? AND revision = ?"


def put(connection: sqlite3.Connection, event: OutboxEntry) -> None:
    """Put an event into its slot, and replace the event that the slot held."""
    row = {
        "task_id": event.id.task_id,
        "slot": event.id.slot.value,
        "revision": event.id.revision,
        "payload": event.payload,
        "occur_time": microseconds(event.occur_time),
        "look_at": microseconds(event.next_attempt_at),
        "entry_id": event.entry_id,
        "looks": event.attempts,
    }
    places = ", ".join(f":{name}" for name in row)
    connection.execute(f"INSERT OR REPLACE INTO outbox ({', '.join(row)}) VALUES ({places})", row)  # noqa: S608


def pending(connection: sqlite3.Connection, now: datetime, limit: int) -> list[OutboxEntry]:
    """See `OutboxStore.pending`."""
    rows = connection.execute(
        "SELECT * FROM outbox WHERE look_at <= ? ORDER BY look_at LIMIT ?",
        (microseconds(now), limit),
    )
    return [_to_entry(row) for row in rows]


def mark_published(connection: sqlite3.Connection, marks: Sequence[PublishMark]) -> None:
    """See `OutboxStore.mark_published`."""
    kept = [mark for mark in marks if mark.id.slot in KEPT_UNTIL_CONFIRMED]
    connection.executemany(
        f"UPDATE outbox SET entry_id = ?, look_at = ?, looks = looks + 1 WHERE {_SLOT}",  # noqa: S608
        [(mark.entry_id, microseconds(mark.next_attempt_at), *_key(mark.id)) for mark in kept],
    )
    _clear(connection, [mark.id for mark in marks if mark.id.slot not in KEPT_UNTIL_CONFIRMED])


def confirmed(connection: sqlite3.Connection, ids: Sequence[EventId]) -> int:
    """See `OutboxStore.confirmed`."""
    return _clear(connection, ids)


def backlog(connection: sqlite3.Connection) -> Backlog:
    """See `OutboxStore.backlog`."""
    (total,) = connection.execute("SELECT count(*) FROM outbox").fetchone()
    unpublished, oldest = connection.execute(
        "SELECT count(*), min(occur_time) FROM outbox WHERE entry_id IS NULL"
    ).fetchone()
    return Backlog(unpublished, total - unpublished, None if oldest is None else from_microseconds(oldest))


def _clear(connection: sqlite3.Connection, ids: Sequence[EventId]) -> int:
    cleared = connection.executemany(f"DELETE FROM outbox WHERE {_SLOT}", [_key(id) for id in ids])  # noqa: S608
    return max(cleared.rowcount, 0)


def _key(id: EventId) -> tuple[str, str, int]:
    return id.task_id, id.slot.value, id.revision


def _to_entry(row: sqlite3.Row) -> OutboxEntry:
    return OutboxEntry(
        id=EventId(row["task_id"], row["revision"], Slot(row["slot"])),
        payload=row["payload"],
        occur_time=from_microseconds(row["occur_time"]),
        next_attempt_at=from_microseconds(row["look_at"]),
        entry_id=row["entry_id"],
        attempts=row["looks"],
    )
