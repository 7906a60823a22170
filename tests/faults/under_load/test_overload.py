"""More asked of the mesh than it can bear: what FAULTS calls F6."""

import asyncio
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest

from tests.faults.harness.checker import check
from tests.faults.harness.load import Entry, note
from tests.faults.harness.report import Report
from tests.faults.harness.system import System, now
from tests.support.edge_api.light_client import Creator, creator
from tests.support.eventually import eventually

USERS = 100  # so that no inbox is so full that it lets go of its oldest
SECONDS = 10
TIMES = 3
LONGEST = 5.0


@dataclass
class Flood:
    """Creates that cost the client next to nothing, over connections that are opened as they are needed."""

    port: int
    history: list[Entry] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)
    _free: list[Creator] = field(default_factory=list)

    async def create(self) -> Entry:
        """Makes one create and writes it down."""
        number = next(self._numbers)
        made = self._free.pop() if self._free else await creator(self.port, f"user-{number % USERS}")
        entry = Entry(number, made.user, f"key-{number}", begun=now())
        self.history.append(entry)
        answer = await made.ask(entry.title, **{"Idempotency-Key": entry.key})
        self._free.append(made)
        note(entry, answer.status, answer.body, answer.header("content-type"))
        return entry

    async def close(self) -> None:
        """Closes its connections."""
        await asyncio.gather(*(each.close() for each in self._free))

    async def by(self, clients: int, seconds: float) -> list[Entry]:
        """So many clients that ask again as soon as they are answered."""
        until, answered = now() + seconds, list[Entry]()

        async def work() -> None:
            while now() < until:
                answered.append(await self.create())

        await asyncio.gather(*(work() for _ in range(clients)))
        return answered

    async def at(self, rate: float, seconds: float) -> list[Entry]:
        """So many creates a second, whatever the answers."""
        begun, asked = now(), []
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, begun + number / rate - now()))
            asked.append(asyncio.create_task(self.create()))
        return await asyncio.gather(*asked)


def goodput(history: list[Entry], begun: float, ended: float) -> float:
    """How many creates a second were acknowledged."""
    return sum(entry.outcome == "ok" and begun <= entry.ended < ended for entry in history) / (ended - begun)


@pytest.mark.faults
async def test_three_times_what_it_can_bear_is_shed_at_once_and_what_it_takes_is_done(
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
    taken = goodput(flooded, begun, begun + SECONDS)

    async def serves() -> bool:
        return {entry.outcome for entry in await flood.by(clients=10, seconds=0.5)} == {"ok"}

    await eventually(serves, within=10)
    recovered = now() - ended
    await flood.close()
    refused = [entry.ended - entry.begun for entry in flooded if entry.outcome != "ok"]
    quick = statistics.median(refused)
    verdict = await check(mesh, flood.history)
    report(
        "F6",
        f"{TIMES} times the {most:.0f} creates a second that it can do: did {taken / most:.0%} of them, refused the "
        f"others after {quick * 1000:.0f} ms (median), served all again after {recovered:.1f} s",
        verdict,
    )

    assert {entry.status for entry in flooded} == {201, 503}
    # The client and all services share this machine's processors: what a refusal costs, a create does not get.
    assert taken >= 0.5 * most
    assert quick <= 0.3
    assert max(refused) <= LONGEST
