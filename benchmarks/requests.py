"""Sends requests of one operation to a system, each connection one after the other, and measures them."""

import asyncio
import itertools
import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.running import Running
from tests.support.edge_api.light_client import TASKS, Connection, connected, head, write

CONNECTIONS, TASKS_EACH = 16, 50
WARM_UP = 0.3
Ids = Mapping[str, Sequence[str]]
"""The ids of the tasks of each user. Each connection is one user's."""


@dataclass(frozen=True)
class Latencies:
    """Latencies in seconds, in any order."""

    seconds: Sequence[float]

    def percentile(self, percent: int) -> float:
        """Return a percentile in seconds."""
        return statistics.quantiles(self.seconds, n=100)[percent - 1]

    def __str__(self) -> str:
        p50, p99, worst = (1000 * each for each in (self.percentile(50), self.percentile(99), max(self.seconds)))
        return f"p50 {p50:7.1f} ms   p99 {p99:7.1f} ms   worst {worst:7.1f} ms"


@dataclass(frozen=True)
class Sample:
    """One measurement: requests per second, their latencies, and the CPU seconds per request of each process.

    The CPU includes the work that a request causes after its response.
    """

    rate: float
    latencies: Latencies
    cpu: Mapping[str, float]


class UnexpectedStatus(Exception):
    """A response has another status than expected; the message names it."""


def _create(user: str, _ids: Sequence[str]) -> Iterator[bytes]:
    return (write("POST", TASKS, user, {"title": f"Task {number}"}) for number in itertools.count())


def _get(user: str, ids: Sequence[str]) -> Iterator[bytes]:
    return itertools.cycle([head("GET", f"{TASKS}/{id}", user) for id in ids])


def _list(user: str, _ids: Sequence[str]) -> Iterator[bytes]:
    return itertools.repeat(head("GET", f"{TASKS}?page_size={TASKS_EACH}", user))


def _update(user: str, ids: Sequence[str]) -> Iterator[bytes]:
    kind = {"Content-Type": "application/merge-patch+json"}
    for number, id in zip(itertools.count(), itertools.cycle(ids)):
        yield write("PATCH", f"{TASKS}/{id}", user, {"title": f"Changed {number}"}, **kind)


OPERATIONS: Mapping[str, tuple[Callable[[str, Sequence[str]], Iterator[bytes]], int]] = {
    "create": (_create, 201),
    "get": (_get, 200),
    "list": (_list, 200),
    "update": (_update, 200),
}
"""The requests of each operation, and the expected status."""


async def prepare(system: Running) -> Ids:
    """Create the tasks of all users and check that a list has the expected number of them."""
    users = [f"user-{number}" for number in range(CONNECTIONS)]
    if "create" not in system.operations:
        return {user: ["0" * 26] for user in users}

    async def ids_of(user: str) -> list[str]:
        connection, requests = await connected(system.port), _create(user, ())
        made = [await _send(system, "create", connection, next(requests)) for _ in range(TASKS_EACH)]
        page = await _send(system, "list", connection, next(_list(user, ())))
        await connection.close()
        if (found := len(_content(page)["tasks"])) != TASKS_EACH:
            msg = f"{system.name}: list returned {found} tasks, expected {TASKS_EACH}"
            raise UnexpectedStatus(msg)
        return [_content(each)["id"] for each in made]

    ids = dict(zip(users, await asyncio.gather(*map(ids_of, users)), strict=True))
    await system.settled()
    return ids


async def measure(system: Running, ids: Ids, operation: str, connections: int, seconds: float) -> Sample:
    """Send requests on several connections for `seconds`, after a short warm-up.

    Raises UnexpectedStatus if any response has another status than expected.
    """
    users = list(ids)[:connections]
    opened = [await connected(system.port) for _ in users]
    requests = [OPERATIONS[operation][0](user, ids[user]) for user in users]

    async def work(connection: Connection, requests: Iterator[bytes], end: float) -> list[float]:
        latencies: list[float] = []
        while (begun := time.perf_counter()) < end:
            await _send(system, operation, connection, next(requests))
            latencies.append(time.perf_counter() - begun)
        return latencies

    async def send_for(seconds: float) -> list[float]:
        end = time.perf_counter() + seconds
        async with asyncio.timeout(seconds + 60):
            found = await asyncio.gather(*(work(*each, end) for each in zip(opened, requests, strict=True)))
        return [*itertools.chain(*found)]

    await send_for(WARM_UP)
    before, begun = system.cpu(), time.perf_counter()
    latencies = await send_for(seconds)
    took = time.perf_counter() - begun
    await system.settled()
    cpu = {name: (after - before[name]) / len(latencies) for name, after in system.cpu().items()}
    for connection in opened:
        await connection.close()
    return Sample(len(latencies) / took, Latencies(latencies), cpu)


async def _send(system: Running, operation: str, connection: Connection, request: bytes) -> bytes:
    response = await connection.exchange(request)
    expected = OPERATIONS[operation][1]
    if int(response[9:12]) != expected:
        msg = f"{system.name}: {operation} must return {expected}, but returned {response[9:].decode(errors='replace')}"
        raise UnexpectedStatus(msg)
    return response


def _content(response: bytes) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(response.partition(b"\r\n\r\n")[2])
    return content
