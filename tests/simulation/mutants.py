"""Mutations of the services: each breaks one guarantee in one place, and the simulation must detect it."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from notify_svc.composition import Notifier
from notify_svc.events.decode import readable_id
from notify_svc.events.event_handler import Entry
from notify_svc.storage import redis_keys as queue
from task_svc.outbox import EventId
from task_svc.repository import Created, Creation, TaskRepository
from tests.simulation.world import Mutation


class _ConfirmsBeforeItDelivers(Notifier):
    """Confirms entries before it handles them."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        event_handler = self._consumer._event_handler
        handle = event_handler.handle

        async def confirm_and_handle(entries: Sequence[Entry]) -> None:
            await self._acknowledger._confirm([readable_id(entry.fields) for entry in entries])
            await handle(entries)

        event_handler.handle = confirm_and_handle  # type: ignore[method-assign]


class _AcknowledgesBeforeItRecords(Notifier):
    """Acknowledges entries before it handles them."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        event_handler = self._consumer._event_handler
        handle = event_handler.handle

        async def acknowledge_and_handle(entries: Sequence[Entry]) -> None:
            if entries:
                await self.redis.xack(queue.EVENTS, queue.GROUP, *(entry.id for entry in entries))
            await handle(entries)

        event_handler.handle = acknowledge_and_handle  # type: ignore[method-assign]


class _RecordsRepeats(Notifier):
    """Records every event as a new one."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        event_store = self._consumer._event_handler._event_store
        record = event_store.record

        async def forget_and_record(arrived: Any) -> Any:
            for _, notification in arrived:
                await self.redis.delete(queue.event_key(notification.id))
            return await record(arrived)

        event_store.record = forget_and_record  # type: ignore[method-assign]


class _Store:
    """A store with some methods replaced."""

    def __init__(self, store: TaskRepository, **replaced: Callable[..., Any]) -> None:
        self._store = store
        vars(self).update(replaced)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def _clears_any_event(store: TaskRepository, connection: sqlite3.Connection) -> TaskRepository:
    """Return a store that clears a slot without comparing the event's id."""

    async def with_current_revision(ids: Sequence[EventId]) -> list[EventId]:
        rows = connection.execute("SELECT * FROM outbox")
        revisions = {(row["task_id"], row["slot"]): row["revision"] for row in rows}
        return [replace(id, revision=revisions.get((id.task_id, id.slot), id.revision)) for id in ids]

    async def confirmed(ids: Sequence[EventId]) -> int:
        return await store.confirmed(await with_current_revision(ids))

    async def mark_published(marks: Sequence[Any]) -> None:
        ids = await with_current_revision([mark.id for mark in marks])
        await store.mark_published([replace(mark, id=id) for mark, id in zip(marks, ids, strict=True)])

    return cast(TaskRepository, _Store(store, confirmed=confirmed, mark_published=mark_published))


def _has_no_outbox(store: TaskRepository, connection: sqlite3.Connection) -> TaskRepository:
    """Return a store that does not keep the event of a new task: only the request that stored it can publish it."""

    async def insert(creation: Creation) -> Created:
        created = await store.insert(creation)
        if created.is_new:
            connection.execute("DELETE FROM outbox WHERE task_id = ?", (creation.task.id,))
        return created

    return cast(TaskRepository, _Store(store, insert=insert))


MUTANTS = {
    "confirms before it delivers": Mutation(notifier=_ConfirmsBeforeItDelivers),
    "acknowledges before it records": Mutation(notifier=_AcknowledgesBeforeItRecords),
    "records repeated events": Mutation(notifier=_RecordsRepeats),
    "clears a slot without comparing ids": Mutation(store=_clears_any_event),
    "publishes without an outbox": Mutation(store=_has_no_outbox),
}
