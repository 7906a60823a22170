"""The contract suite for every store of tasks; see `task_svc.repository`."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import Conflict, DeadlineExceeded, NotFound
from chassis.grpc_api import deadlines
from task_svc import domain
from task_svc.domain import Priority, Status, Task, TaskFields
from task_svc.mongo import listing as mongo_listing
from task_svc.outbox import EventId, OutboxEntry, PublishMark, Slot
from task_svc.repository import Cursor, Filter, Order, SortKey, TaskRepository, searchable
from task_svc.sqlite import listing as sqlite_listing
from task_svc.text import folded
from tests.integration.task_svc.stores import OpenStore
from tests.support.task_svc.tasks import FIELDS, START, another, creation, new_task, pending, written

EVERY_ORDER = [Order(key, descending) for key in SortKey for descending in (False, True)]
LONG_AFTER = START + timedelta(days=365)


@pytest.fixture
async def store(open_store: OpenStore, tmp_path: Path) -> AsyncIterator[TaskRepository]:
    async with open_store(tmp_path) as opened:
        yield opened


async def listed(
    store: TaskRepository,
    criteria: Filter | None = None,
    order: Order | None = None,
    *,
    owner: str = "ann",
    limit: int = 3,
) -> list[Task]:
    """Return the tasks of all pages of a listing."""
    tasks: list[Task] = []
    after: Cursor | None = None
    while True:
        page = await store.list(owner, criteria or Filter(), order or Order(), after, limit)
        assert len(page.tasks) <= limit
        tasks += page.tasks
        if page.next is None:
            return tasks
        after = page.next


async def stored(store: TaskRepository, tasks: Sequence[Task]) -> None:
    await asyncio.gather(*(store.insert(creation(task)) for task in tasks))


async def change(store: TaskRepository, task: Task, *, slot: Slot = Slot.CHANGED, **fields: Any) -> Task:
    changed = await store.change(
        task.owner, task.id, lambda found: (new := written(found, **fields), pending(new, slot))
    )
    return changed.task


class TestInsert:
    async def test_a_stored_task_is_returned_with_all_fields(self, store: TaskRepository) -> None:
        fields = TaskFields(
            title="Ünïcode 🥛 ‮rtl",
            description="line\nline\ttab",
            status=Status.IN_PROGRESS,
            priority=Priority.URGENT,
            labels=("b", "a", "🏷"),
            due_time=datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        )
        task = replace(new_task(at=START + timedelta(microseconds=1)), fields=fields)

        created = await store.insert(creation(task))

        assert created.is_new
        assert created.task == task
        assert await store.get("ann", task.id) == task

    @pytest.mark.parametrize("field", FIELDS)
    async def test_every_field_is_kept_when_it_is_set_and_when_it_is_changed_back(
        self, store: TaskRepository, field: str
    ) -> None:
        task = new_task(**another(field))
        await store.insert(creation(task))
        assert await store.get("ann", task.id) == task
        assert await listed(store) == [task]

        changed = await change(store, task, **{field: getattr(new_task().fields, field)})
        assert await store.get("ann", task.id) == changed
        assert getattr(changed.fields, field) != getattr(task.fields, field)

    async def test_a_repeat_returns_the_first_task_as_it_is_now(self, store: TaskRepository) -> None:
        first = creation(new_task(), "key", b"first")
        await store.insert(first)
        changed = await change(store, first.task, title="Changed")

        repeat = await store.insert(creation(new_task(), "key", b"second"))

        assert not repeat.is_new
        assert repeat.fingerprint == b"first"
        assert repeat.task == changed
        assert await listed(store) == [changed]

    async def test_a_repeat_puts_no_second_event_into_the_outbox(self, store: TaskRepository) -> None:
        first = creation(new_task(), "key")
        await store.insert(first)
        await store.insert(creation(new_task(), "key"))

        assert [event.id for event in await store.pending(LONG_AFTER, 10)] == [first.event.id]

    async def test_keys_are_per_owner(self, store: TaskRepository) -> None:
        anns = await store.insert(creation(new_task("ann"), "key"))
        bobs = await store.insert(creation(new_task("bob"), "key"))

        assert anns.is_new
        assert bobs.is_new
        assert anns.task.id != bobs.task.id

    async def test_fifty_concurrent_repeats_create_one_task(self, store: TaskRepository) -> None:
        answers = await asyncio.gather(*(store.insert(creation(new_task(), "key")) for _ in range(50)))

        assert sum(answer.is_new for answer in answers) == 1
        assert len({answer.task.id for answer in answers}) == 1


class TestGet:
    async def test_another_users_task_is_not_found(self, store: TaskRepository) -> None:
        task = new_task("ann")
        await store.insert(creation(task))

        with pytest.raises(NotFound):
            await store.get("bob", task.id)

    async def test_an_unknown_task_is_not_found(self, store: TaskRepository) -> None:
        with pytest.raises(NotFound):
            await store.get("ann", new_task().id)


class TestChange:
    async def test_twenty_writers_with_one_etag_let_one_win(self, store: TaskRepository) -> None:
        task = new_task(title="0")
        await store.insert(creation(task))

        async def write(number: int) -> Task:
            def verb(found: Task) -> tuple[Task, OutboxEntry]:
                fields = replace(found.fields, title=f"writer {number}")
                new = domain.update(found, fields, task.etag, LONG_AFTER)
                return new, pending(new, Slot.CHANGED)

            return (await store.change("ann", task.id, verb)).task

        answers = await asyncio.gather(*(write(n) for n in range(20)), return_exceptions=True)

        assert sum(isinstance(answer, Task) for answer in answers) == 1
        assert sum(isinstance(answer, Conflict) for answer in answers) == 19
        assert (await store.get("ann", task.id)).revision == 2

    async def test_no_write_without_etag_is_lost(self, store: TaskRepository) -> None:
        task = new_task(title="0")
        await store.insert(creation(task))

        def count_up(found: Task) -> tuple[Task, OutboxEntry]:
            new = written(found, title=str(int(found.fields.title) + 1))
            return new, pending(new, Slot.CHANGED)

        await asyncio.gather(*(store.change("ann", task.id, count_up) for _ in range(50)))

        assert (await store.get("ann", task.id)).fields.title == "50"

    async def test_a_change_that_raises_changes_nothing(self, store: TaskRepository) -> None:
        task = new_task()
        await store.insert(creation(task))

        def refuse(found: Task) -> tuple[Task, OutboxEntry]:
            raise Conflict("ETAG_MISMATCH", found.id)

        with pytest.raises(Conflict):
            await store.change("ann", task.id, refuse)

        assert await store.get("ann", task.id) == task
        assert len(await store.pending(LONG_AFTER, 10)) == 1

    async def test_a_change_of_nothing_writes_nothing(self, store: TaskRepository) -> None:
        task = new_task()
        await store.insert(creation(task))

        assert await store.change("ann", task.id, lambda _found: None) == (task, None)
        assert len(await store.pending(LONG_AFTER, 10)) == 1

    async def test_another_users_task_is_not_found_and_not_changed(self, store: TaskRepository) -> None:
        task = new_task("ann")
        await store.insert(creation(task))

        with pytest.raises(NotFound):
            await store.change("bob", task.id, lambda found: (written(found), pending(found)))

        assert await store.get("ann", task.id) == task


class TestOutbox:
    async def test_a_created_event_stays_until_it_is_confirmed(self, store: TaskRepository) -> None:
        created = creation(new_task())
        await store.insert(created)
        await store.mark_published([PublishMark(created.event.id, "1-1", START + timedelta(minutes=1))])

        (event,) = await store.pending(START + timedelta(minutes=1), 10)
        assert (event.entry_id, event.attempts) == ("1-1", 1)
        assert event.payload == created.event.payload
        assert await store.confirmed([event.id]) == 1
        assert await store.pending(LONG_AFTER, 10) == []

    async def test_an_event_is_not_pending_before_its_next_attempt(self, store: TaskRepository) -> None:
        created = creation(new_task())
        await store.insert(created)
        await store.mark_published([PublishMark(created.event.id, "1-1", START + timedelta(minutes=1))])

        assert await store.pending(START + timedelta(seconds=59), 10) == []

    async def test_a_changed_event_is_cleared_when_it_is_published(self, store: TaskRepository) -> None:
        created = creation(new_task())
        await store.insert(created)
        task = await change(store, created.task, title="Changed")
        changed = EventId(task.id, 2, Slot.CHANGED)

        await store.mark_published([PublishMark(changed, "1-2", LONG_AFTER)])

        assert [event.id for event in await store.pending(LONG_AFTER, 10)] == [created.event.id]

    async def test_a_newer_change_takes_the_slot_and_is_not_cleared_by_the_older_ones_id(
        self, store: TaskRepository
    ) -> None:
        created = creation(new_task())
        await store.insert(created)
        await store.confirmed([created.event.id])
        await change(store, created.task, title="Second")
        await change(store, created.task, title="Third")

        await store.mark_published([PublishMark(EventId(created.task.id, 2, Slot.CHANGED), "1-2", LONG_AFTER)])

        assert [event.id.revision for event in await store.pending(LONG_AFTER, 10)] == [3]

    async def test_confirming_twice_or_an_unknown_event_has_no_effect(self, store: TaskRepository) -> None:
        created, other = creation(new_task()), creation(new_task())
        await store.insert(created)
        await store.insert(other)

        unknown = EventId(created.task.id, 7, Slot.CREATED)
        cleared = [await store.confirmed([created.event.id, unknown]) for _ in range(2)]

        assert cleared == [1, 0]
        assert [event.id for event in await store.pending(LONG_AFTER, 10)] == [other.event.id]

    async def test_the_most_overdue_events_come_first_up_to_the_limit(self, store: TaskRepository) -> None:
        tasks = [new_task(at=START + timedelta(seconds=n)) for n in range(5)]
        await stored(store, tasks[::-1])

        events = await store.pending(LONG_AFTER, 3)

        assert [event.id.task_id for event in events] == [task.id for task in tasks[:3]]

    async def test_the_backlog_is_counted(self, store: TaskRepository) -> None:
        tasks = [new_task(at=START + timedelta(seconds=n)) for n in range(4)]
        await stored(store, tasks)
        await store.mark_published([PublishMark(pending(tasks[0]).id, "1-1", LONG_AFTER)])
        await store.confirmed([pending(tasks[3]).id])

        backlog = await store.backlog()

        assert (backlog.unpublished, backlog.unconfirmed) == (2, 1)
        assert backlog.oldest_unpublished == tasks[1].create_time

    async def test_an_empty_backlog_has_no_oldest(self, store: TaskRepository) -> None:
        assert (await store.backlog()).oldest_unpublished is None


class TestList:
    @pytest.fixture
    async def tasks(self, store: TaskRepository) -> list[Task]:
        """Twelve tasks with different values; some have equal values in an order."""
        made = [
            new_task(
                at=START + timedelta(seconds=n // 2),
                title=f"Task {n}",
                status=list(Status)[n % 3],
                priority=list(Priority)[n % 4],
                labels=tuple(label for i, label in enumerate("abc") if n >> i & 1),
                due_time=START + timedelta(days=n % 5) if n % 3 else None,
            )
            for n in range(12)
        ]
        await stored(store, made)
        return made

    @pytest.mark.parametrize("order", EVERY_ORDER, ids=str)
    async def test_pages_in_every_order_hold_each_task_once(
        self, store: TaskRepository, tasks: list[Task], order: Order
    ) -> None:
        expected = sorted(tasks, key=lambda task: (order.value(task), task.id), reverse=order.descending)

        assert await listed(store, order=order) == expected

    @pytest.mark.parametrize("descending", [False, True])
    async def test_tasks_without_due_time_come_last_in_both_directions(
        self, store: TaskRepository, tasks: list[Task], descending: bool
    ) -> None:
        found = await listed(store, order=Order(SortKey.DUE_TIME, descending))

        undated = [task.fields.due_time is None for task in found]
        assert undated == sorted(undated)

    @pytest.mark.parametrize("order", EVERY_ORDER, ids=str)
    @pytest.mark.parametrize(
        "criteria",
        [
            Filter(statuses=frozenset({Status.TODO})),
            Filter(statuses=frozenset({Status.TODO, Status.DONE})),
            Filter(priorities=frozenset({Priority.LOW, Priority.HIGH})),
            Filter(labels=("a",)),
            Filter(labels=("a", "b")),
            Filter(labels=("a",), statuses=frozenset({Status.TODO})),
            Filter(due_after=START + timedelta(days=1), due_before=START + timedelta(days=3)),
            Filter(text="task 1"),
            Filter(labels=("nowhere",)),
        ],
        ids=str,
    )
    async def test_a_filter_returns_the_matching_tasks(
        self, store: TaskRepository, tasks: list[Task], criteria: Filter, order: Order
    ) -> None:
        expected = sorted(
            (task for task in tasks if passes(task, criteria)),
            key=lambda task: (order.value(task), task.id),
            reverse=order.descending,
        )

        assert await listed(store, criteria, order) == expected

    async def test_only_the_owners_tasks_are_listed(self, store: TaskRepository, tasks: list[Task]) -> None:
        bobs = new_task("bob")
        await store.insert(creation(bobs))

        assert await listed(store, owner="bob") == [bobs]

    @pytest.mark.parametrize("order", EVERY_ORDER, ids=str)
    @pytest.mark.parametrize("criteria", [Filter(), Filter(labels=("a",)), Filter(text="task")], ids=str)
    async def test_deleted_tasks_are_listed_only_when_asked_for(
        self, store: TaskRepository, tasks: list[Task], criteria: Filter, order: Order
    ) -> None:
        for task in tasks[::2]:
            await store.change(
                "ann", task.id, lambda found: (new := domain.delete(found, "", START), pending(new, Slot.CHANGED))
            )

        alive = await listed(store, criteria, order)
        everything = await listed(store, replace(criteria, show_deleted=True), order)

        assert {task.id for task in alive} == {task.id for task in tasks[1::2] if passes(task, criteria)}
        assert {task.id for task in everything} == {task.id for task in tasks if passes(task, criteria)}
        values = [order.value(task) for task in everything]
        assert values == sorted(values, reverse=order.descending)

    async def test_a_label_follows_its_task_through_changes(self, store: TaskRepository, tasks: list[Task]) -> None:
        task = tasks[1]
        await change(store, task, labels=("new",), priority=Priority.URGENT)

        assert [found.id for found in await listed(store, Filter(labels=("new",)))] == [task.id]
        assert task.id not in {found.id for found in await listed(store, Filter(labels=("a",)))}

    async def test_text_is_taken_literally_whatever_its_case(self, store: TaskRepository) -> None:
        tasks = [
            new_task(title=title) for title in ("50% OFF_now", "50 percent off now", "STRASSE", "(a+)+$", "Cafe\u0301")
        ]
        await stored(store, tasks)

        async def found(text: str) -> set[str]:
            return {task.fields.title for task in await listed(store, Filter(text=folded(text)))}

        assert await found("50% off_NOW") == {"50% OFF_now"}
        assert await found("straße") == {"STRASSE"}
        assert await found("CAF\u00c9") == {"Cafe\u0301"}
        assert await found("(a+)+$") == {"(a+)+$"}
        assert await found("%") == {"50% OFF_now"}
        assert await found("'; --") == set()

    async def test_a_task_that_moves_between_pages_hides_no_other_task(
        self, store: TaskRepository, tasks: list[Task]
    ) -> None:
        order = Order(SortKey.UPDATE_TIME, descending=True)
        first = await store.list("ann", Filter(), order, None, 4)
        await change(store, tasks[0])
        rest = [first]
        while rest[-1].next is not None:
            rest.append(await store.list("ann", Filter(), order, rest[-1].next, 4))

        seen = {task.id for page in rest for task in page.tasks}
        assert seen >= {task.id for task in tasks[1:]}

    async def test_a_filter_without_an_index_scans_at_most_the_limit(
        self, store: TaskRepository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        most = 60
        for listing in (sqlite_listing, mongo_listing):
            monkeypatch.setattr(listing, "SCAN_MAX", most)
        needle = new_task(at=START, title="needle")
        await stored(store, [needle, *(new_task(at=START + timedelta(seconds=1)) for _ in range(most))])

        first = await store.list("ann", Filter(text="needle"), Order(), None, 10)

        assert first.tasks == []
        assert first.next is not None
        second = await store.list("ann", Filter(text="needle"), Order(), first.next, 10)
        assert (second.tasks, second.next) == ([needle], None)


def passes(task: Task, criteria: Filter) -> bool:
    """Return whether a task matches a filter: a second, simple implementation."""
    fields = task.fields
    return (
        (not criteria.statuses or fields.status in criteria.statuses)
        and (not criteria.priorities or fields.priority in criteria.priorities)
        and set(criteria.labels) <= set(fields.labels)
        and (criteria.due_after is None or (fields.due_time is not None and fields.due_time >= criteria.due_after))
        and (criteria.due_before is None or (fields.due_time is not None and fields.due_time < criteria.due_before))
        and criteria.text in searchable(fields)
    )


class TestPurge:
    async def test_only_tasks_deleted_long_ago_with_an_empty_outbox_are_purged(self, store: TaskRepository) -> None:
        alive, fresh, unpublished, published = (new_task(labels=("a",)) for _ in range(4))
        await stored(store, [alive, fresh, unpublished, published])

        async def delete(task: Task, at: datetime) -> EventId:
            deleted = await store.change(
                "ann", task.id, lambda found: (new := domain.delete(found, "", at), pending(new, Slot.CHANGED))
            )
            return EventId(task.id, deleted.task.revision, Slot.CHANGED)

        long_ago = START + timedelta(days=1)
        await delete(unpublished, long_ago)
        for event in (await delete(published, long_ago), await delete(fresh, LONG_AFTER)):
            await store.mark_published([PublishMark(event, "1-1", LONG_AFTER)])
        await store.confirmed([pending(task).id for task in (alive, fresh, published)])

        assert await store.purge(START + timedelta(days=31), 10) == 1
        assert await store.purge(START + timedelta(days=31), 10) == 0

        left = await listed(store, Filter(show_deleted=True))
        assert {task.id for task in left} == {alive.id, fresh.id, unpublished.id}
        assert {task.id for task in await listed(store, Filter(labels=("a",)))} == {alive.id}


class TestReminders:
    async def test_due_tasks_are_found_the_earliest_first(self, store: TaskRepository) -> None:
        hours = (3, 1, 2, 9)
        tasks = {
            hour: replace(new_task(owner), to_remind_of=START + timedelta(hours=hour))
            for hour, owner in zip(hours, ("ann", "bob", "ann", "ann"), strict=True)
        }
        for task in (*tasks.values(), new_task()):
            await store.insert(creation(task))

        until = START + timedelta(hours=3)
        assert await store.to_remind(until, 10) == [
            ("bob", tasks[1].id),
            ("ann", tasks[2].id),
            ("ann", tasks[3].id),
        ]
        assert await store.to_remind(until, 2) == [("bob", tasks[1].id), ("ann", tasks[2].id)]

    async def test_a_reminder_is_stored_once_and_a_concurrent_write_is_retried(self, store: TaskRepository) -> None:
        due = START + timedelta(hours=1)
        task = replace(new_task(due_time=due), to_remind_of=due)
        await store.insert(creation(task))
        seen: list[Task] = []

        def remind(found: Task) -> tuple[Task, OutboxEntry] | None:
            if found.to_remind_of is None:
                return None
            reminded = domain.remind(found, due)
            return reminded, pending(reminded, Slot.DUE)

        def write(found: Task) -> tuple[Task, OutboxEntry]:
            seen.append(found)
            return (new := written(found)), pending(new, Slot.CHANGED)

        await asyncio.gather(*(store.change("ann", task.id, change) for change in (remind, write, remind)))

        left = await store.get("ann", task.id)
        assert (left.to_remind_of, left.reminded_of, left.revision) == (None, due, 2)
        assert await store.to_remind(LONG_AFTER, 10) == []
        due_events = [event for event in await store.pending(LONG_AFTER, 10) if event.id.slot is Slot.DUE]
        assert len(due_events) == 1


class TestDeadlines:
    async def test_a_write_whose_deadline_has_passed_is_not_executed(self, store: TaskRepository) -> None:
        task = new_task()

        async def late_insert() -> None:
            deadlines.set_remaining(-1)
            await store.insert(creation(task))

        with pytest.raises(DeadlineExceeded):
            await asyncio.create_task(late_insert())

        with pytest.raises(NotFound):
            await store.get("ann", task.id)

    async def test_a_read_whose_deadline_has_passed_is_refused(self, store: TaskRepository) -> None:
        async def late_list() -> None:
            deadlines.set_remaining(-1)
            await store.list("ann", Filter(), Order(), None, 10)

        with pytest.raises(DeadlineExceeded):
            await asyncio.create_task(late_list())

    async def test_ping_returns(self, store: TaskRepository) -> None:
        await store.ping()
