"""More load than the mesh can handle (row F6)."""

import asyncio
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest

from tests.faults.harness.checker import check
from tests.faults.harness.load import Entry, record
from tests.faults.harness.report import Report
from tests.faults.harness.system import System, now
from tests.support.edge_api.light_client import Creator, creator
from tests.support.eventually import eventually

USERS = 100  # so that no inbox is full: a full one drops its oldest notifications
SECONDS = 10
TIMES = 3
LONGEST = 5.0


@dataclass
class Flood:
    """Sends creates at little cost to the client, over connections that are opened on demand."""

    port: int
    history: list[Entry] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)
    _free: list[Creator] = field(default_factory=list)

    async def create(self) -> Entry:
        """Send one create and record it."""
        number = next(self._numbers)
        made = self._free.pop() if self._free else await creator(self.port, f"user-{number % USERS}")
        entry = Entry(number, made.user, f"key-{number}", begun=now())
        self.history.append(entry)
        response = await made.ask(entry.title, **{"Idempotency-Key": entry.key})
        self._free.append(made)
        record(entry, response.status, response.body, response.header("content-type"))
        return entry

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(each.close() for each in self._free))

    async def by(self, clients: int, seconds: float) -> list[Entry]:
        """Run `clients` clients that each send the next create after a response. Return the entries."""
        until, completed = now() + seconds, list[Entry]()

        async def work() -> None:
            while now() < until:
                completed.append(await self.create())

        await asyncio.gather(*(work() for _ in range(clients)))
        return completed

    async def at(self, rate: float, seconds: float) -> list[Entry]:
        """Send `rate` creates per second, without waiting for responses. Return the entries."""
        begun, sent = now(), []
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, begun + number / rate - now()))
            sent.append(asyncio.create_task(self.create()))
        return await asyncio.gather(*sent)


def goodput(history: list[Entry], begun: float, ended: float) -> float:
    """Return the number of acknowledged creates per second."""
    return sum(entry.outcome == "ok" and begun <= entry.ended < ended for entry in history) / (ended - begun)


@pytest.mark.faults
async def test_three_times_the_maximum_load_is_rejected_quickly_and_accepted_calls_complete(
    mesh: System, report: Report
) -> None:
    await mesh.start()
    flood = Flood(mesh.edge_port)
    await flood.by(clients=40, seconds=3)
    begun = now()
    most = goodput(await flood.by(clients=40, seconds=SECONDS), begun, begun + SECONDS)
    begun = now()
    flooded = await flood.at(rate=TIMES * most, seconds=SECONDS)
    ended = now()
    accepted = goodput(flooded, begun, begun + SECONDS)

    async def serves() -> bool:
        return {entry.outcome for entry in await flood.by(clients=10, seconds=0.5)} == {"ok"}

    await eventually(serves, within=10)
    recovered = now() - ended
    await flood.close()
    rejected = [entry.ended - entry.begun for entry in flooded if entry.outcome != "ok"]
    quick = statistics.median(rejected)
    verdict = await check(mesh, flood.history)
    report(
        "F6",
        f"{TIMES} times the maximum of {most:.0f} creates per second: completed {accepted / most:.0%} of the maximum, "
        f"rejected the others after {quick * 1000:.0f} ms (median), recovered after {recovered:.1f} s",
        verdict,
    )

    assert {entry.status for entry in flooded} == {201, 503}
    # The client and all services share the processors of one machine, so rejected calls slow down accepted ones.
    assert accepted >= 0.5 * most
    assert quick <= 0.3
    assert max(rejected) <= LONGEST
