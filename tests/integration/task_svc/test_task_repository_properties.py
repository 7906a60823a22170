"""Tests the contract of a store of tasks with random histories against a simple model."""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chassis.errors import AlreadyExists, NotFound
from task_svc import domain
from task_svc.domain import Priority, Status, Task, TaskFields
from task_svc.outbox import KEPT_UNTIL_CONFIRMED, EventId, PublishMark, Slot
from task_svc.repository import Cursor, Filter, Order, SortKey
from tests.integration.task_svc.stores import OpenStore
from tests.integration.task_svc.test_task_repository import passes
from tests.support.task_svc.tasks import START, creation, new_task, pending

OWNERS = st.sampled_from(["ann", "bob"])
LABELS = st.lists(st.sampled_from(["home", "work", "später"]), unique=True).map(tuple)
CONTENTS = st.builds(
    TaskFields,
    title=st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20).filter(str.strip),
    description=st.text(st.characters(exclude_categories=["C"]), max_size=20),
    status=st.sampled_from(Status),
    priority=st.sampled_from(Priority),
    labels=LABELS,
    due_time=st.none() | st.integers(0, 5).map(lambda days: START + timedelta(days=days)),
)
FILTERS = st.builds(
    Filter,
    statuses=st.frozensets(st.sampled_from(Status), max_size=2),
    priorities=st.frozensets(st.sampled_from(Priority), max_size=2),
    labels=LABELS,
    text=st.sampled_from(["", "a", "e"]),
    show_deleted=st.booleans(),
)
ORDERS = st.builds(Order, st.sampled_from(SortKey), st.booleans())
FAR = START + timedelta(days=365)


class StoreHistory(RuleBasedStateMachine):
    """Applies the same operations to a store and to a model of dictionaries, and compares them."""

    def __init__(self, open_store: OpenStore) -> None:
        super().__init__()
        self.open_store = open_store

    @initialize()
    def open(self) -> None:
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        directory = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.store = self.run(self.stack.enter_async_context(self.open_store(directory)))
        self.tasks: dict[str, Task] = {}
        self.requests: dict[tuple[str, str], str] = {}
        self.outbox: dict[tuple[str, Slot], EventId] = {}
        self.seconds = 0

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.run(self.stack.aclose())
            self.runner.close()

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def now(self) -> Any:
        self.seconds += 1
        return START + timedelta(seconds=self.seconds // 2)

    @rule(owner=OWNERS, fields=CONTENTS, key=st.integers(0, 8).map(str))
    def insert(self, owner: str, fields: TaskFields, key: str) -> None:
        task = replace(new_task(owner, at=self.now()), fields=fields)
        created = self.run(self.store.insert(creation(task, key)))
        known = self.requests.setdefault((owner, key), task.id)
        if known == task.id:
            self.tasks[task.id] = task
            self.outbox[task.id, Slot.CREATED] = pending(task).id
        assert created.is_new == (known == task.id)
        assert created.task == self.tasks[known]

    @precondition(lambda self: self.tasks)
    @rule(data=st.data(), fields=CONTENTS, verb=st.sampled_from(["update", "delete", "undelete"]))
    def change(self, data: st.DataObject, fields: TaskFields, verb: str) -> None:
        task = self.tasks[data.draw(st.sampled_from(sorted(self.tasks)))]
        now = self.now()
        verbs = {
            "update": lambda found: domain.update(found, fields, "", now),
            "delete": lambda found: domain.delete(found, "", now),
            "undelete": lambda found: domain.undelete(found, now),
        }

        def apply(found: Task) -> Any:
            changed = verbs[verb](found)
            return None if changed is found else (changed, pending(changed, Slot.CHANGED))

        try:
            expected = verbs[verb](task)
        except (NotFound, AlreadyExists):
            return
        assert self.run(self.store.change(task.owner, task.id, apply)).task == expected
        if expected is not task:
            self.tasks[task.id] = expected
            self.outbox[task.id, Slot.CHANGED] = pending(expected, Slot.CHANGED).id

    @precondition(lambda self: self.outbox)
    @rule(data=st.data(), stale=st.booleans())
    def publish(self, data: st.DataObject, stale: bool) -> None:
        event = self._some_event(data, stale)
        self.run(self.store.mark_published([PublishMark(event, "1-1", START)]))
        if self.outbox.get((event.task_id, event.slot)) == event and event.slot not in KEPT_UNTIL_CONFIRMED:
            del self.outbox[event.task_id, event.slot]

    @precondition(lambda self: self.outbox)
    @rule(data=st.data(), stale=st.booleans())
    def confirm(self, data: st.DataObject, stale: bool) -> None:
        event = self._some_event(data, stale)
        holds = self.outbox.get((event.task_id, event.slot)) == event
        assert self.run(self.store.confirmed([event])) == int(holds)
        if holds:
            del self.outbox[event.task_id, event.slot]

    def _some_event(self, data: st.DataObject, stale: bool) -> EventId:
        event = self.outbox[data.draw(st.sampled_from(sorted(self.outbox)))]
        return replace(event, revision=event.revision - 1) if stale else event

    @precondition(lambda self: self.tasks)
    @rule(owner=OWNERS, criteria=FILTERS, order=ORDERS, limit=st.integers(1, 4))
    def list(self, owner: str, criteria: Filter, order: Order, limit: int) -> None:
        expected = sorted(
            (
                task
                for task in self.tasks.values()
                if task.owner == owner and (criteria.show_deleted or not task.delete_time) and passes(task, criteria)
            ),
            key=lambda task: (order.value(task), task.id),
            reverse=order.descending,
        )
        found: list[Task] = []
        after: Cursor | None = None
        while True:
            page = self.run(self.store.list(owner, criteria, order, after, limit))
            found += page.tasks
            if (after := page.next) is None:
                break
        assert found == expected

    @invariant()
    def the_outbox_equals_the_model(self) -> None:
        if hasattr(self, "outbox"):
            events = self.run(self.store.pending(FAR, 1000))
            assert {event.id for event in events} == set(self.outbox.values())
            backlog = self.run(self.store.backlog())
            assert backlog.unpublished + backlog.unconfirmed == len(self.outbox)


def test_the_store_equals_the_model_after_any_history(open_store: OpenStore) -> None:
    run_state_machine_as_test(
        lambda: StoreHistory(open_store),  # type: ignore[arg-type]  # a factory is allowed
        settings=settings(
            max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        ),
    )
