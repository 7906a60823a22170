"""The load driver: creates tasks through the edge and records each request with its outcome.

An outcome is `ok` (2xx with a complete body), `fail` (rejected, 4xx) or `unknown` (5xx, broken connection, timeout).
After an unknown outcome the task may or may not exist.
"""

import asyncio
import json
import ssl
import statistics
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import httpx

from tests.faults.harness.system import as_user, now
from tests.support.holding import until

KILLS = 60
"""The number of times that a store is killed under load."""
USERS = ("ann", "bob", "cem", "dee", "eli", "fay", "gus", "hal")
"""Enough users that no inbox fills up during a load of a few minutes: a full inbox drops its oldest notifications."""
Outcome = Literal["ok", "fail", "unknown"]


@dataclass
class Entry:
    """One request of the history: sent at `begun`, completed at `ended`, in seconds of `system.now`."""

    number: int
    user: str
    key: str
    begun: float
    ended: float = 0
    outcome: Outcome = "unknown"
    status: int | None = None
    task_id: str | None = None
    body: str = ""
    content_type: str = ""

    @property
    def title(self) -> str:
        """The title of the requested task."""
        return f"Task {self.number}"

    @property
    def request_id(self) -> str | None:
        """The request ID in the problem of the response, if there is one."""
        problem = self.content_type == "application/problem+json"
        return json.loads(self.body)["request_id"] if problem else None


@dataclass
class Load:
    """A load of `creates` tasks by `clients` concurrent clients, each task with its own idempotency key.

    A create with an unknown outcome is retried with the same key for `retry_for` seconds. Tasks are numbered from
    `first`. `headers` are sent with every request. `rate` limits all clients together, in requests per second.
    """

    url: str
    creates: int = 1_000
    first: int = 0
    clients: int = 20
    rate: float | None = None
    retry_for: float = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    history: list[Entry] = field(default_factory=list)
    is_over: bool = False

    def stop(self) -> None:
        """End the load after the requests in flight have completed."""
        self.is_over = True

    async def reached(self, calls: int) -> None:
        """Wait until this number of requests was sent, at most 60 s."""
        await until(lambda: len(self.history) >= calls, within=60)

    async def succeeds(self) -> None:
        """Wait until a request that is sent after this call succeeds, at most 30 s."""
        sent = len(self.history)
        await until(lambda: any(entry.outcome == "ok" for entry in self.history[sent:]), within=30)

    async def run(self) -> list[Entry]:
        """Run the load to its end and return the history."""
        numbers = iter(range(self.first, self.first + self.creates))
        begun = now()
        tls = ssl.create_default_context()  # unused, but httpx would create one for every client

        async def work() -> None:
            async with httpx.AsyncClient(base_url=self.url, headers=self.headers, timeout=10, verify=tls) as client:
                for number in numbers:
                    if self.is_over:
                        return
                    if self.rate is not None:
                        await asyncio.sleep(max(0.0, begun + (number - self.first) / self.rate - now()))
                    await self._create(client, number)

        await asyncio.gather(*(work() for _ in range(self.clients)))
        return self.history

    async def _create(self, client: httpx.AsyncClient, number: int) -> None:
        user = USERS[number % len(USERS)]
        retried_until = now() + self.retry_for
        while True:
            entry = Entry(number, user, f"key-{number}", begun=now())
            self.history.append(entry)
            await attempt(client, entry)
            if entry.outcome != "unknown" or now() > retried_until:
                return
            await asyncio.sleep(0.05)


async def while_killed(url: str, kill: Callable[[], Awaitable[None]]) -> list[Entry]:
    """Run a load while `kill`, which also restarts its target, is called `KILLS` times. Return the history.

    Each restart has 30 s until a create that began after it succeeds.
    """
    load = Load(url, creates=1_000_000, rate=25, retry_for=30)
    running = asyncio.create_task(load.run())
    for _ in range(KILLS):
        await load.reached(len(load.history) + 15)
        await kill()
        await load.succeeds()
    load.stop()
    return await running


async def attempt(client: httpx.AsyncClient, entry: Entry) -> None:
    """Send the request of one entry and record its outcome."""
    headers = {**as_user(entry.user), "Idempotency-Key": entry.key}
    try:
        response = await client.post("/api/v1/tasks", json={"title": entry.title}, headers=headers)
    except httpx.HTTPError:
        entry.ended = now()
        return
    record(entry, response.status_code, response.text, response.headers.get("content-type", ""))


def record(entry: Entry, status: int, body: str, content_type: str) -> None:
    """Record the response to the request of an entry, which arrived just now."""
    entry.ended, entry.status, entry.body, entry.content_type = now(), status, body, content_type
    if status == 201:
        entry.outcome, entry.task_id = "ok", json.loads(body)["id"]
    elif 400 <= status < 500:
        entry.outcome = "fail"


def p99(history: list[Entry]) -> float:
    """Return the 99th percentile of the response time, in seconds."""
    return statistics.quantiles((entry.ended - entry.begun for entry in history), n=100)[98]
