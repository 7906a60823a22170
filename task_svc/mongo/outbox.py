"""The outbox in the MongoDB store: a slot is a field of the task's document, and each change is one atomic write.

An update matches a slot by the revision of its event, so that it never marks or clears a newer event.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import ASCENDING, UpdateOne

from task_svc.mongo.client import DURABLE
from task_svc.mongo.documents import Document, to_pending
from task_svc.mongo.indexes import look_field, unpublished_field
from task_svc.outbox import KEPT_UNTIL_CONFIRMED, Backlog, EventId, OutboxEntry, PublishMark, Slot
from task_svc.repository import from_microseconds, microseconds

Collection = AsyncIOMotorCollection[Document]

EMPTY: Document = {f"outbox.{slot}": None for slot in Slot}
"""Matches documents with no event in any slot."""


async def pending(tasks: Collection, now: datetime, limit: int) -> list[OutboxEntry]:
    """See `OutboxStore.pending`. A published event cannot be rolled back, so its task must be durable."""
    tasks = tasks.with_options(read_concern=DURABLE)
    events = []
    for slot in Slot:
        field = look_field(slot)
        due = tasks.find({field: {"$lte": microseconds(now)}}, {"outbox": 1}, sort=[(field, ASCENDING)], limit=limit)
        for document in await due.batch_size(limit + 1).to_list(limit):
            events.append(to_pending(document["_id"], slot, document["outbox"][slot]))
    return sorted(events, key=lambda event: event.next_attempt_at)[:limit]


async def mark_published(tasks: Collection, marks: Sequence[PublishMark]) -> None:
    """See `OutboxStore.mark_published`."""
    await _write(tasks, [_mark(mark) if mark.id.slot in KEPT_UNTIL_CONFIRMED else _clear(mark.id) for mark in marks])


async def confirmed(tasks: Collection, ids: Iterable[EventId]) -> int:
    """See `OutboxStore.confirmed`."""
    return await _write(tasks, [_clear(id) for id in ids])


async def backlog(tasks: Collection) -> Backlog:
    """See `OutboxStore.backlog`."""
    total, unpublished, oldest = 0, 0, []
    for slot in Slot:
        total += (await _count(tasks, look_field(slot)))[0]
        count, first = await _count(tasks, unpublished_field(slot))
        unpublished += count
        oldest += [first] if first is not None else []
    return Backlog(unpublished, total - unpublished, from_microseconds(min(oldest)) if oldest else None)


async def _count(tasks: Collection, field: str) -> tuple[int, int | None]:
    """Return the number of documents with a field, and its smallest value, from the field's index."""
    group = {"_id": None, "count": {"$sum": 1}, "first": {"$min": f"${field}"}}
    found = await tasks.aggregate([{"$match": {field: {"$gte": 0}}}, {"$group": group}]).to_list(1)
    return (found[0]["count"], found[0]["first"]) if found else (0, None)


async def _write(tasks: Collection, updates: Sequence[UpdateOne]) -> int:
    if not updates:
        return 0
    return int((await tasks.bulk_write(updates, ordered=False)).matched_count)


def _mark(mark: PublishMark) -> UpdateOne:
    slot = f"outbox.{mark.id.slot}"
    return UpdateOne(
        _holding(mark.id),
        {
            "$set": {f"{slot}.entry_id": mark.entry_id, f"{slot}.look_at": microseconds(mark.next_attempt_at)},
            "$unset": {unpublished_field(mark.id.slot): ""},
            "$inc": {f"{slot}.looks": 1},
        },
    )


def _clear(id: EventId) -> UpdateOne:
    return UpdateOne(_holding(id), {"$unset": {f"outbox.{id.slot}": ""}})


def _holding(id: EventId) -> Document:
    return {"_id": id.task_id, f"outbox.{id.slot}.revision": id.revision}
