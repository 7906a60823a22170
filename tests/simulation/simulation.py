"""Runs the simulation for one seed, and checks the invariants."""

from dataclasses import dataclass
from hashlib import sha256

import structlog.testing

from tests.simulation.invariants import broken
from tests.simulation.loop import simulated
from tests.simulation.memory_store import memory_store
from tests.simulation.world import Mutation, World

NO_MUTATION = Mutation()


@dataclass(frozen=True)
class Run:
    """The run of one seed: its trace, numbers, and broken invariants."""

    seed: int
    broken: list[str]
    trace: list[str]
    tasks: int
    notified: int
    faults: int
    seconds_to_rest: float

    @property
    def digest(self) -> str:
        """A hash of the trace, equal for identical runs."""
        return sha256("\n".join(self.trace).encode()).hexdigest()

    def __str__(self) -> str:
        found = "\n".join(f"  {each}" for each in self.broken) or "  every invariant holds"
        return f"seed {self.seed}:\n{found}\n  to show this run: make simulate SEED={self.seed}"


def run(seed: int, mutation: Mutation = NO_MUTATION) -> Run:
    """Run a mesh until it is at rest, in simulated time."""

    async def in_time() -> Run:
        world = World(seed, store, connection, mutation)
        seconds = await world.run()
        (tasks,) = connection.execute("SELECT count(*) FROM tasks").fetchone()
        found = broken(world, seconds)
        return Run(seed, found, world.trace, tasks, len(world.notified), len(world.faults), seconds)

    with memory_store() as (store, connection), structlog.testing.capture_logs():
        return simulated(in_time())
