"""The queries of a listing on MongoDB: always walks along one index of `mongo_indexes`, in the order asked for.

A walk is all tasks of an owner, those of one status, or those with one label. Live and deleted tasks are two arms of
it, which are merged here. What else the filter asks is checked along the way, by the server; then each arm is cut off
after its part of SCAN_MAX tasks, and the page says where to go on.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import ASCENDING, DESCENDING

from task_svc.domain import Task
from task_svc.mongo.documents import Document, cursor_of, order_field, order_key, to_task
from task_svc.repository import SCAN_MAX, Cursor, Filter, Order, Page, microseconds

Collection = AsyncIOMotorCollection[Document]


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a page; `index` is the index that serves it."""

    filter: Document
    projection: Document | None
    sort: Sequence[tuple[str, int]]
    skip: int
    limit: int
    index: str

    async def run(self, tasks: Collection) -> list[Document]:
        """What it finds, in one batch."""
        cursor = tasks.find(self.filter, self.projection, sort=self.sort, skip=self.skip, limit=self.limit)
        found: list[Document] = await cursor.hint(self.index).batch_size(self.limit + 1).to_list(self.limit)
        return found


@dataclass(frozen=True, slots=True)
class Walk:
    """A way along an index.

    `fixed` are the values that its first fields have, `field` the one that it goes along, `checks` what is checked of
    each task; there is one arm for live tasks and one for deleted.
    """

    index: str
    fixed: Document
    field: str
    descending: bool
    checks: Document
    arms: Sequence[bool]
    after: Cursor | None = None
    end: Cursor | None = None

    @property
    def arm_limit(self) -> int:
        """How many tasks may be looked at on each arm."""
        return SCAN_MAX // len(self.arms)

    def window(self, deleted: bool) -> Query:
        """Finds the last task that may be looked at on an arm, from the index alone."""
        return self._query(deleted, {}, {self.field: 1, "_id": 0}, skip=self.arm_limit - 1, limit=1)

    def page(self, deleted: bool, limit: int) -> Query:
        """Reads an arm's tasks."""
        return self._query(deleted, self.checks, None, skip=0, limit=limit)

    def _query(self, deleted: bool, checks: Document, projection: Document | None, *, skip: int, limit: int) -> Query:
        onward, back = ("$lt", "$gte") if self.descending else ("$gt", "$lte")
        bounds = {}
        if self.after is not None:
            bounds[onward] = order_key(self.after)
        if self.end is not None:
            bounds[back] = order_key(self.end)
        found = {**self.fixed, "deleted": deleted, **({self.field: bounds} if bounds else {}), **checks}
        sort = [(self.field, DESCENDING if self.descending else ASCENDING)]
        return Query(found, projection, sort, skip, limit, self.index)


def plan(owner: str, which: Filter, order: Order, after: Cursor | None = None) -> Walk:
    """Chooses the walk for a filter."""
    field = order_field(order)
    fixed: Document = {"owner": owner}
    labels, statuses = which.labels, which.statuses
    if labels:
        index, fixed["labels"], labels = f"label_{field}", labels[0], labels[1:]
    elif len(statuses) == 1:
        (status,) = statuses
        index, fixed["status"], statuses = f"status_{field}", int(status), frozenset()
    else:
        index = f"all_{field}"
    checks = _checks(replace(which, labels=labels, statuses=statuses))
    arms = (False, True) if which.show_deleted else (False,)
    return Walk(index, fixed, field, order.descending, checks, arms, after)


async def list_tasks(
    tasks: Collection, owner: str, which: Filter, order: Order, after: Cursor | None, limit: int
) -> Page:
    """One page; see `TaskRepository.list`."""
    walk = plan(owner, which, order, after)
    if walk.checks:
        walk = replace(walk, end=await _window_end(tasks, walk))
    found: dict[str, Task] = {}
    for deleted in walk.arms:  # one after the other: of a task that changes arms meanwhile, the later state is kept
        for document in await walk.page(deleted, limit + 1).run(tasks):
            found[document["_id"]] = to_task(document)
    ordered = sorted(found.values(), key=lambda task: (order.value(task), task.id), reverse=order.descending)
    if len(ordered) > limit:
        last = ordered[limit - 1]
        return Page(ordered[:limit], Cursor(order.value(last), last.id))
    return Page(ordered, walk.end)


async def _window_end(tasks: Collection, walk: Walk) -> Cursor | None:
    """Where the first of the arms is cut off, or None where none is."""
    keys = [document[walk.field] for arm in walk.arms for document in await walk.window(arm).run(tasks)]
    if not keys:
        return None
    return cursor_of(max(keys) if walk.descending else min(keys))


def _checks(which: Filter) -> Document:
    checks: Document = {}
    if which.statuses:
        checks["status"] = {"$in": sorted(int(status) for status in which.statuses)}
    if which.priorities:
        checks["priority"] = {"$in": sorted(int(priority) for priority in which.priorities)}
    if which.labels:
        checks["$and"] = [{"labels": label} for label in which.labels]
    due = {}
    if which.due_after is not None:
        due["$gte"] = microseconds(which.due_after)
    if which.due_before is not None:
        due["$lt"] = microseconds(which.due_before)
    if due:
        checks["due_time"] = due
    if which.text:
        checks["search_text"] = {"$regex": re.escape(which.text)}
    return checks
