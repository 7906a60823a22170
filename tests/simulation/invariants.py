"""What must hold when a simulated mesh has come to rest: I1 to I6 of the fault tests."""

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
    """Says of each invariant that does not hold which one it is, and of what."""
    tasks: Rows = {row["id"]: row for row in world.connection.execute("SELECT * FROM tasks")}
    return [
        *([f"I6: not at rest after {REST_SECONDS} s without mishaps"] if seconds_to_rest >= REST_SECONDS else []),
        *_answers(world, tasks),
        *_told(world, tasks),
        *_listed(world, tasks),
        *_reminded(world, tasks),
        *_watched(world, tasks),
        *_repeated(world, tasks),
    ]


def _answers(world: World, tasks: Rows) -> Iterator[str]:
    by_key = {(row["owner"], row["request_id"]): row["id"] for row in tasks.values()}
    for asked in world.asked:
        found = by_key.get((asked.owner, asked.key))
        if asked.outcome == "ok" and asked.task_id != found:
            yield f"I1, I3: {asked.key} was acknowledged as {asked.task_id}, and the store has {found}"
        if asked.outcome == "fail" and found is not None:
            yield f"I2: {asked.key} was refused, and made {found}"


def _told(world: World, tasks: Rows) -> Iterator[str]:
    told = {notification.id for notification in world.told}
    for task_id in tasks:
        event_id = f"{task_id}:1:created"
        if event_id not in told and event_id not in _given_up(world):
            yield f"I1, I3, I5: nobody was told of {task_id}, and no dead letter says so"
    for notification in world.told:
        if notification.task_id not in tasks:
            yield f"I2: {notification.id} is of no task"


def _listed(world: World, tasks: Rows) -> Iterator[str]:
    """Of a queue that came back empty the past is lost, and nothing else."""
    for task_id, row in tasks.items():
        inbox = world.redis.data.get(queue.inbox_key(row["owner"]).encode(), {})
        if f"{task_id}:1:created".encode() not in inbox and not world.emptied:
            yield f"I1: the inbox does not have {task_id}"


def _reminded(world: World, tasks: Rows) -> Iterator[str]:
    reminders: defaultdict[tuple[str, int | None], set[str]] = defaultdict(set)
    for each in world.told:
        if each.kind is Kind.TASK_DUE:
            reminders[each.task_id, each.due_time_ms].add(each.id)
    for (task_id, due_ms), event_ids in reminders.items():
        if len(event_ids) > 1:
            yield f"I4: {task_id} was reminded of for {due_ms} by {sorted(event_ids)}"
    for task_id, row in tasks.items():
        is_open = row["delete_time"] is None and row["status"] != Status.DONE
        is_over = row["due_time"] is not None and row["reminded_of"] == row["due_time"]
        if is_open and is_over and (task_id, row["due_time"] // 1000) not in reminders:
            yield f"I1: nobody was reminded of {task_id}"


def _watched(world: World, tasks: Rows) -> Iterator[str]:
    for task_id, row in tasks.items():
        if row["revision"] > 1 and f"{task_id}:{row['revision']}:changed" not in world.published:
            yield f"I1: who watches never hears of revision {row['revision']} of {task_id}"


# What may end a delivery between its effect and the note of it, or the lease that keeps others from it.
_REASONS_TO_REPEAT = {"kill_notifier", "queue_refuses", "queue_hangs", "sink_refuses", "clock_jumps"}


def _repeated(world: World, tasks: Rows) -> Iterator[str]:
    told = Counter(notification.id for notification in world.told)
    reasons = sum(mishap in _REASONS_TO_REPEAT for mishap in world.mishaps) + world.network.faults
    allowed = reasons * SinkChannel.concurrency + world.emptied * len(told)
    if told.total() - len(told) > allowed:
        yield f"I4: {told.total() - len(told)} deliveries were repeats, and at most {allowed} may be"


def _given_up(world: World) -> set[str]:
    letters: Any = world.redis.data.get(queue.DEAD_LETTERS.encode(), {})
    return {world.redis.data[b"dead-letter:" + key][b"event_id"].decode() for key in letters}
