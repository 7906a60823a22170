"""The load driver: creates tasks over the edge, and writes down what it asked for and what it was told.

An outcome is `ok` (2xx with a whole body), `fail` (a definite refusal, 4xx) or `unknown` (5xx, a cut connection, no
answer in time): after an unknown one the task may be there or not.
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
"""How often a store is killed under load."""
USERS = ("ann", "bob", "cem", "dee", "eli", "fay", "gus", "hal")
"""So many that no load of some minutes fills the inbox of one, which would drop its oldest notifications."""
Outcome = Literal["ok", "fail", "unknown"]


@dataclass
class Entry:
    """One call of the history: asked for at `begun`, answered at `ended`, on the clock of `system.now`."""

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
        """The title of the task that it asked for."""
        return f"Task {self.number}"

    @property
    def request_id(self) -> str | None:
        """The id in the problem that it was answered with."""
        problem = self.content_type == "application/problem+json"
        return json.loads(self.body)["request_id"] if problem else None


@dataclass
class Load:
    """So many creates by so many clients at once, each with a key of its own, under which it is retried for so long.

    Tasks are numbered from `first` on; `headers` come with every call; `rate` holds all clients together to so many
    calls a second.
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
        """Ends the load when the calls that are under way are answered."""
        self.is_over = True

    async def reached(self, calls: int) -> None:
        """Returns when so many calls were made, which may take a minute."""
        await until(lambda: len(self.history) >= calls, within=60)

    async def run(self) -> list[Entry]:
        """Runs the load to its end and gives the history."""
        numbers = iter(range(self.first, self.first + self.creates))
        begun = now()
        tls = ssl.create_default_context()  # of no use here, but httpx would make one for every client

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
    """The history of a load that goes on until `kill`, which also starts again, was called `KILLS` times."""
    load = Load(url, creates=1_000_000, rate=25, retry_for=30)
    running = asyncio.create_task(load.run())
    for _ in range(KILLS):
        await load.reached(len(load.history) + 15)
        await kill()
    load.stop()
    return await running


async def attempt(client: httpx.AsyncClient, entry: Entry) -> None:
    """Makes the call of one entry and writes down how it ended."""
    headers = {**as_user(entry.user), "Idempotency-Key": entry.key}
    try:
        answer = await client.post("/api/v1/tasks", json={"title": entry.title}, headers=headers)
    except httpx.HTTPError:
        entry.ended = now()
        return
    note(entry, answer.status_code, answer.text, answer.headers.get("content-type", ""))


def note(entry: Entry, status: int, body: str, content_type: str) -> None:
    """Writes down the answer to the call of an entry, which has come now."""
    entry.ended, entry.status, entry.body, entry.content_type = now(), status, body, content_type
    if status == 201:
        entry.outcome, entry.task_id = "ok", json.loads(body)["id"]
    elif 400 <= status < 500:
        entry.outcome = "fail"


def p99(history: list[Entry]) -> float:
    """The time in which 99 of 100 calls were answered, in seconds."""
    return statistics.quantiles((entry.ended - entry.begun for entry in history), n=100)[98]
