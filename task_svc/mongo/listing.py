"""The queries of a listing on MongoDB: each scans one index of `indexes`, in the requested order.

The index covers all tasks of an owner, those of one status, or those with one label. Live and deleted tasks are two
branches, merged here. The server checks the remaining filters. A branch ends after its share of SCAN_MAX tasks; the
page's `next` then continues there.
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
class MongoQuery:
    """One query of a page, served by `index`."""

    filter: Document
    projection: Document
    sort: Sequence[tuple[str, int]]
    skip: int
    limit: int
    index: str

    async def run(self, tasks: Collection) -> list[Document]:
        """Run the query and return its documents, read in one batch."""
        cursor = tasks.find(self.filter, self.projection, sort=self.sort, skip=self.skip, limit=self.limit)
        found: list[Document] = await cursor.hint(self.index).batch_size(self.limit + 1).to_list(self.limit)
        return found


@dataclass(frozen=True, slots=True)
class IndexScan:
    """A scan of an index in the requested order, with one branch for live tasks and one for deleted tasks.

    `fixed` has the values of the index's first fields; `field` is the field that orders it. The server checks
    `residual_filters` on each task.
    """

    index: str
    fixed: Document
    field: str
    descending: bool
    residual_filters: Document
    branches: Sequence[bool]
    after: Cursor | None = None
    end: Cursor | None = None

    @property
    def branch_limit(self) -> int:
        """The maximum number of tasks to scan in each branch."""
        return SCAN_MAX // len(self.branches)

    def window(self, deleted: bool) -> MongoQuery:
        """Return the query for the last task to scan in a branch. It reads only the index."""
        return self._query(deleted, {}, {self.field: 1, "_id": 0}, skip=self.branch_limit - 1, limit=1)

    def page(self, deleted: bool, limit: int) -> MongoQuery:
        """Return the query for the tasks of a branch. A search text can be 18 times as long as its task's text."""
        return self._query(deleted, self.residual_filters, {"search_text": 0}, skip=0, limit=limit)

    def _query(
        self, deleted: bool, residual_filters: Document, projection: Document, *, skip: int, limit: int
    ) -> MongoQuery:
        onward, back = ("$lt", "$gte") if self.descending else ("$gt", "$lte")
        bounds = {}
        if self.after is not None:
            bounds[onward] = order_key(self.after)
        if self.end is not None:
            bounds[back] = order_key(self.end)
        found = {**self.fixed, "deleted": deleted, **({self.field: bounds} if bounds else {}), **residual_filters}
        sort = [(self.field, DESCENDING if self.descending else ASCENDING)]
        return MongoQuery(found, projection, sort, skip, limit, self.index)


def plan(owner: str, criteria: Filter, order: Order, after: Cursor | None = None) -> IndexScan:
    """Choose the index for a filter, and return its scan."""
    field = order_field(order)
    fixed: Document = {"owner": owner}
    labels, statuses = criteria.labels, criteria.statuses
    if labels:
        index, fixed["labels"], labels = f"label_{field}", labels[0], labels[1:]
    elif len(statuses) == 1:
        (status,) = statuses
        index, fixed["status"], statuses = f"status_{field}", int(status), frozenset()
    else:
        index = f"all_{field}"
    residual_filters = _checks(replace(criteria, labels=labels, statuses=statuses))
    branches = (False, True) if criteria.show_deleted else (False,)
    return IndexScan(index, fixed, field, order.descending, residual_filters, branches, after)


async def list_tasks(
    tasks: Collection, owner: str, criteria: Filter, order: Order, after: Cursor | None, limit: int
) -> Page:
    """Return one page; see `TaskRepository.list`."""
    scan = plan(owner, criteria, order, after)
    if scan.residual_filters:
        scan = replace(scan, end=await _window_end(tasks, scan))
    found: dict[str, Task] = {}
    for deleted in scan.branches:  # not in parallel: if a task is deleted meanwhile, its later state replaces the first
        for document in await scan.page(deleted, limit + 1).run(tasks):
            found[document["_id"]] = to_task(document)
    ordered = sorted(found.values(), key=lambda task: (order.value(task), task.id), reverse=order.descending)
    if len(ordered) > limit:
        last = ordered[limit - 1]
        return Page(ordered[:limit], Cursor(order.value(last), last.id))
    return Page(ordered, scan.end)


async def _window_end(tasks: Collection, scan: IndexScan) -> Cursor | None:
    """Return the position at which the first branch reaches its limit, or None if no branch does."""
    keys = [document[scan.field] for branch in scan.branches for document in await scan.window(branch).run(tasks)]
    if not keys:
        return None
    return cursor_of(max(keys) if scan.descending else min(keys))


def _checks(criteria: Filter) -> Document:
    residual_filters: Document = {}
    if criteria.statuses:
        residual_filters["status"] = {"$in": sorted(int(status) for status in criteria.statuses)}
    if criteria.priorities:
        residual_filters["priority"] = {"$in": sorted(int(priority) for priority in criteria.priorities)}
    if criteria.labels:
        residual_filters["$and"] = [{"labels": label} for label in criteria.labels]
    due = {}
    if criteria.due_after is not None:
        due["$gte"] = microseconds(criteria.due_after)
    if criteria.due_before is not None:
        due["$lt"] = microseconds(criteria.due_before)
    if due:
        residual_filters["due_time"] = due
    if criteria.text:
        residual_filters["search_text"] = {"$regex": re.escape(criteria.text)}
    return residual_filters
