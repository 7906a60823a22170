"""The invariants of a simulated mesh at rest: I1 to I6 of the fault tests."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from notify_svc.domain import Kind
from notify_svc.storage import redis_keys as queue
from task_svc.domain import Status
from tests.simulation.ports import SinkChannel
from tests.simulation.world import REST_SECONDS, World

Rows = dict[str, sqlite3.Row]


def broken(world: World, seconds_to_rest: float) -> list[str]:
    """Return a message for each violation of an invariant."""
    tasks: Rows = {row["id"]: row for row in world.connection.execute("SELECT * FROM tasks")}
    return [
        *([f"I6: not at rest after {REST_SECONDS} s without faults"] if seconds_to_rest >= REST_SECONDS else []),
        *_created(world, tasks),
        *_notified(world, tasks),
        *_listed(world, tasks),
        *_reminded(world, tasks),
        *_watched(world, tasks),
        *_repeated(world, tasks),
    ]


def _created(world: World, tasks: Rows) -> Iterator[str]:
    by_key = {(row["owner"], row["request_id"]): row["id"] for row in tasks.values()}
    for create in world.creates:
        found = by_key.get((create.owner, create.key))
        if create.outcome == "ok" and create.task_id != found:
            yield f"I1, I3: {create.key} was acknowledged as {create.task_id}, but the store has {found}"
        if create.outcome == "fail" and found is not None:
            yield f"I2: {create.key} was refused, but created {found}"


def _notified(world: World, tasks: Rows) -> Iterator[str]:
    notified = {notification.id for notification in world.notified}
    for task_id in tasks:
        event_id = f"{task_id}:1:created"
        if event_id not in notified and event_id not in _given_up(world):
            yield f"I1, I3, I5: {task_id} has neither a notification nor a dead letter"
    for notification in world.notified:
        if notification.task_id not in tasks:
            yield f"I2: the task of notification {notification.id} does not exist"


def _listed(world: World, tasks: Rows) -> Iterator[str]:
    """Check the inboxes. They may lack notifications only if the queue was emptied."""
    for task_id, row in tasks.items():
        inbox = world.redis.data.get(queue.inbox_key(row["owner"]).encode(), {})
        if f"{task_id}:1:created".encode() not in inbox and not world.emptied:
            yield f"I1: the inbox does not have {task_id}"


def _reminded(world: World, tasks: Rows) -> Iterator[str]:
    reminders: defaultdict[tuple[str, int | None], set[str]] = defaultdict(set)
    for each in world.notified:
        if each.kind is Kind.TASK_DUE:
            reminders[each.task_id, each.due_time_ms].add(each.id)
    for (task_id, due_ms), event_ids in reminders.items():
        if len(event_ids) > 1:
            yield f"I4: {task_id} has several reminders for {due_ms}: {sorted(event_ids)}"
    for task_id, row in tasks.items():
        is_open = row["delete_time"] is None and row["status"] != Status.DONE
        is_over = row["due_time"] is not None and row["reminded_of"] == row["due_time"]
        if is_open and is_over and (task_id, row["due_time"] // 1000) not in reminders:
            yield f"I1: the reminder of {task_id} was not delivered"


def _watched(world: World, tasks: Rows) -> Iterator[str]:
    for task_id, row in tasks.items():
        if row["revision"] > 1 and f"{task_id}:{row['revision']}:changed" not in world.published:
            yield f"I1: watchers do not get revision {row['revision']} of {task_id}"


# Faults that can interrupt a delivery between its effect and its completion, or end its lease early.
_REASONS_TO_REPEAT = {"kill_notifier", "queue_refuses", "queue_hangs", "sink_refuses", "clock_jumps"}


def _repeated(world: World, tasks: Rows) -> Iterator[str]:
    notified = Counter(notification.id for notification in world.notified)
    reasons = sum(fault in _REASONS_TO_REPEAT for fault in world.faults) + world.network.faults
    allowed = reasons * SinkChannel.concurrency + world.emptied * len(notified)
    if notified.total() - len(notified) > allowed:
        yield f"I4: {notified.total() - len(notified)} deliveries were repeated; at most {allowed} are allowed"


def _given_up(world: World) -> set[str]:
    letters: Any = world.redis.data.get(queue.DEAD_LETTERS.encode(), {})
    return {world.redis.data[b"dead-letter:" + key][b"event_id"].decode() for key in letters}
