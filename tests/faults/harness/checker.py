"""The checker: what must hold between a history and the mesh once it has come to rest.

I1  no loss: every task whose create was acknowledged exists, and has notified exactly once.
I2  no ghost: every notification belongs to a task that exists, and a refused create has no effect.
I3  unknown but whole: a create without an answer has both its task and its notification, or neither; asked again with
    its key it gives one and the same task.
I4  once in effect: deliveries that were repeated carry the same event id, and are bounded.
I5  nothing silent: what was given up is counted and logged.
I6  recovery without a hand: the outbox, the stream and the pending list empty by themselves.
I7  every error is problem+json with a reason and a request id, and tells nothing of the inside.
"""

import json
from collections import Counter
from dataclasses import dataclass

import httpx
from redis.asyncio import Redis

from tests.faults.harness.load import USERS, Entry, attempt
from tests.faults.harness.system import System, as_user, now
from tests.support.eventually import eventually

_INSIDE = ("Traceback", 'File "', "127.0.0.1", "ipv4:", "site-packages")


@dataclass
class Verdict:
    """What the checker saw: for the table of faults."""

    acknowledged: int
    unknown: int
    tasks: int
    notifications: int
    repeated_deliveries: int
    seconds_to_rest: float

    def __str__(self) -> str:
        return (
            f"acknowledged {self.acknowledged}, unknown {self.unknown}, tasks {self.tasks}, "
            f"notifications {self.notifications}, repeated deliveries {self.repeated_deliveries}, "
            f"at rest after {self.seconds_to_rest:.1f} s"
        )


@dataclass
class Effects:
    """What there is of tasks and notifications, by the tasks' ids."""

    tasks: set[str]
    notified: Counter[str]

    @property
    def untold(self) -> set[str]:
        """Tasks of which nobody was told."""
        return self.tasks - self.notified.keys()


async def effects(system: System) -> Effects:
    """Asks the edge what every user has."""
    async with httpx.AsyncClient(base_url=system.edge_url, timeout=10) as client:
        tasks = {task["id"] for user in USERS for task in await _all(client, user, "tasks")}
        notified = Counter([one["task_id"] for user in USERS for one in await _all(client, user, "notifications")])
    return Effects(tasks, notified)


async def check(system: System, history: list[Entry], *, repeats_allowed: int = 0, given_up: int = 0) -> Verdict:
    """Checks I1 to I7 and tells what was seen. `repeats_allowed` is how many deliveries may have been repeated."""
    begun = now()
    await _come_to_rest(system)  # I6
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


async def _come_to_rest(system: System) -> None:
    await system.ready()

    async def is_at_rest() -> bool:
        return system.outbox() == 0 and await system.queue_is_at_rest()

    await eventually(is_at_rest, within=120)


def check_problem(status: int, content_type: str, body: str) -> None:
    """I7, of one answer that is an error."""
    assert content_type == "application/problem+json", body
    problem = json.loads(body)
    assert problem["status"] == status, body
    assert problem["reason"], body
    assert problem["request_id"], body
    assert not any(word in body for word in _INSIDE), body


def _check_errors(history: list[Entry]) -> None:
    for entry in history:
        if entry.status is None or entry.status < 400:
            continue
        check_problem(entry.status, entry.content_type, entry.body)


def _check_effects(history: list[Entry], tasks: dict[str, dict[str, str]], notified: Counter[str]) -> None:
    acknowledged = {entry.task_id for entry in history if entry.outcome == "ok"}
    assert acknowledged <= tasks.keys(), "I1: acknowledged tasks are missing"
    assert set(notified) == tasks.keys(), "I1, I2, I3: tasks without notification, or notifications without task"
    assert set(notified.values()) <= {1}, "I1: a task notified more than once"
    asked = {(entry.user, entry.title) for entry in history}
    refused = {(e.user, e.title) for e in history if e.outcome == "fail"}
    refused -= {(e.user, e.title) for e in history if e.outcome != "fail"}
    found = Counter((task["owner"], task["title"]) for task in tasks.values())
    assert set(found.values()) <= {1}, "I3: one key made two tasks"
    assert found.keys() <= asked - refused, "I2: a refused create had an effect"


async def _check_replay(client: httpx.AsyncClient, history: list[Entry], tasks: dict[str, dict[str, str]]) -> None:
    there = {(task["owner"], task["title"]): task["id"] for task in tasks.values()}
    for entry in [entry for entry in history if entry.outcome == "unknown"][:50]:
        task_id = there.get((entry.user, entry.title))
        if task_id is None:
            continue  # asking again would rightly create it
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
        assert await redis.zcard("dead-letters") == given_up, "I5: dead letters"
    assert len(system.notify.lines("dead letter")) == given_up, "I5: dead letters are logged"


async def _all(client: httpx.AsyncClient, user: str, what: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    token = ""
    while True:
        answer = await client.get(
            f"/api/v1/{what}", params={"page_size": 200, "page_token": token}, headers=as_user(user)
        )
        page = answer.raise_for_status().json()
        found += page[what]
        if not (token := page["next_page_token"]):
            return found
