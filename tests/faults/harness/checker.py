"""The checker: compares the history of a load with the state of the mesh after it has drained.

I1  No loss: every acknowledged task exists and has exactly one notification.
I2  No effect without a cause: every notification belongs to an existing task, and a rejected create has no effect.
I3  Unknown outcomes are atomic: a create without a response has both its task and its notification, or neither. A retry
    with the same key returns the same task.
I4  Effectively once: repeated deliveries carry the same event ID, and their number is bounded.
I5  Nothing is dropped silently: dead letters are counted and logged.
I6  Automatic recovery: the outbox, the stream and the pending entries drain without intervention.
I7  Every error is problem+json with a reason and a request ID, and exposes no internal details.
"""

import json
from collections import Counter
from dataclasses import dataclass

import httpx
from redis.asyncio import Redis

from tests.faults.harness.load import USERS, Entry, attempt
from tests.faults.harness.system import System, as_user, now
from tests.support.eventually import eventually

_INTERNAL = ("Traceback", 'File "', "127.0.0.1", "ipv4:", "site-packages")


@dataclass
class Verdict:
    """The result of a check, for the table of faults."""

    acknowledged: int
    unknown: int
    tasks: int
    notifications: int
    repeated_deliveries: int
    seconds_to_drain: float

    def __str__(self) -> str:
        return (
            f"acknowledged {self.acknowledged}, unknown {self.unknown}, tasks {self.tasks}, "
            f"notifications {self.notifications}, repeated deliveries {self.repeated_deliveries}, "
            f"drained after {self.seconds_to_drain:.1f} s"
        )


@dataclass
class Effects:
    """The existing tasks, and the number of notifications per task, by task ID."""

    tasks: set[str]
    notified: Counter[str]

    @property
    def lost(self) -> set[str]:
        """The tasks without a notification."""
        return self.tasks - self.notified.keys()


async def effects(system: System) -> Effects:
    """Return the tasks and notifications of all users, from the edge."""
    async with httpx.AsyncClient(base_url=system.edge_url, timeout=10) as client:
        tasks = {task["id"] for user in USERS for task in await _all(client, user, "tasks")}
        notified = Counter([one["task_id"] for user in USERS for one in await _all(client, user, "notifications")])
    return Effects(tasks, notified)


async def check(system: System, history: list[Entry], *, repeats_allowed: int = 0, given_up: int = 0) -> Verdict:
    """Check I1 to I7. Allow `repeats_allowed` repeated deliveries, and expect `given_up` dead letters."""
    begun = now()
    await _drain(system)  # I6
    seconds = now() - begun
    _check_errors(history)
    users = {entry.user for entry in history}
    async with httpx.AsyncClient(base_url=system.edge_url, timeout=10) as client:
        tasks = {task["id"]: task for user in users for task in await _all(client, user, "tasks")}
        notifications = [one for user in users for one in await _all(client, user, "notifications")]
        notified = Counter(notification["task_id"] for notification in notifications)
        _check_effects(history, tasks, notified)
        await _check_replay(client, history, tasks)
    repeated = _check_deliveries(system, notifications, repeats_allowed)
    await _check_dead_letters(system, given_up)
    acknowledged = {entry.task_id for entry in history if entry.outcome == "ok"}
    unknown = sum(entry.outcome == "unknown" for entry in history)
    return Verdict(len(acknowledged), unknown, len(tasks), len(notifications), repeated, seconds)


async def _drain(system: System) -> None:
    await system.ready()

    async def is_drained() -> bool:
        return system.outbox() == 0 and await system.queue_is_drained()

    await eventually(is_drained, within=120)


def check_problem(status: int, content_type: str, body: str) -> None:
    """Check I7 for one error response."""
    assert content_type == "application/problem+json", body
    problem = json.loads(body)
    assert problem["status"] == status, body
    assert problem["reason"], body
    assert problem["request_id"], body
    assert not any(word in body for word in _INTERNAL), body


def _check_errors(history: list[Entry]) -> None:
    for entry in history:
        if entry.status is None or entry.status < 400:
            continue
        check_problem(entry.status, entry.content_type, entry.body)


def _check_effects(history: list[Entry], tasks: dict[str, dict[str, str]], notified: Counter[str]) -> None:
    acknowledged = {entry.task_id for entry in history if entry.outcome == "ok"}
    assert acknowledged <= tasks.keys(), "I1: acknowledged tasks are missing"
    assert set(notified) == tasks.keys(), "I1, I2, I3: tasks without a notification, or notifications without a task"
    assert set(notified.values()) <= {1}, "I1: a task has more than one notification"
    sent = {(entry.user, entry.title) for entry in history}
    rejected = {(e.user, e.title) for e in history if e.outcome == "fail"}
    rejected -= {(e.user, e.title) for e in history if e.outcome != "fail"}
    found = Counter((task["owner"], task["title"]) for task in tasks.values())
    assert set(found.values()) <= {1}, "I3: one key created two tasks"
    assert found.keys() <= sent - rejected, "I2: a rejected create had an effect"


async def _check_replay(client: httpx.AsyncClient, history: list[Entry], tasks: dict[str, dict[str, str]]) -> None:
    existing = {(task["owner"], task["title"]): task["id"] for task in tasks.values()}
    for entry in [entry for entry in history if entry.outcome == "unknown"][:50]:
        task_id = existing.get((entry.user, entry.title))
        if task_id is None:
            continue  # a retry would create it, correctly
        again = Entry(entry.number, entry.user, entry.key, begun=now())
        await attempt(client, again)
        assert (again.outcome, again.task_id) == ("ok", task_id), f"I3: {again}"


def _check_deliveries(system: System, notifications: list[dict[str, str]], repeats_allowed: int) -> int:
    delivered = Counter(line["event_id"] for line in system.notify.lines("notification"))
    assert delivered.keys() == {notification["id"] for notification in notifications}, "I4: deliveries and inbox differ"
    repeated = delivered.total() - len(delivered)
    assert repeated <= repeats_allowed, f"I4: {repeated} repeated deliveries, allowed {repeats_allowed}"
    return repeated


async def _check_dead_letters(system: System, given_up: int) -> None:
    async with Redis.from_url(system.valkey.url, socket_timeout=5) as redis:
        assert await redis.zcard("dead-letters") == given_up, "I5: number of dead letters"
    assert len(system.notify.lines("dead letter")) == given_up, "I5: log lines of dead letters"


async def _all(client: httpx.AsyncClient, user: str, what: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    token = ""
    while True:
        response = await client.get(
            f"/api/v1/{what}", params={"page_size": 200, "page_token": token}, headers=as_user(user)
        )
        page = response.raise_for_status().json()
        found += page[what]
        if not (token := page["next_page_token"]):
            return found
