"""One run of the simulation from its seed, and what it found."""

from dataclasses import dataclass
from hashlib import sha256

import structlog.testing

from tests.simulation.invariants import broken
from tests.simulation.loop import simulated
from tests.simulation.memory_store import memory_store
from tests.simulation.world import Mutation, World

UNTOUCHED = Mutation()


@dataclass(frozen=True)
class Run:
    """What happened under one seed, and which invariants it broke."""

    seed: int
    broken: list[str]
    trace: list[str]
    tasks: int
    told: int
    mishaps: int
    seconds_to_rest: float

    @property
    def digest(self) -> str:
        """The same for two runs that went the same way."""
        return sha256("\n".join(self.trace).encode()).hexdigest()

    def __str__(self) -> str:
        found = "\n".join(f"  {each}" for each in self.broken) or "  every invariant holds"
        return f"seed {self.seed}:\n{found}\n  to see it happen: make simulate SEED={self.seed}"


def run(seed: int, mutation: Mutation = UNTOUCHED) -> Run:
    """Runs a whole mesh for as long as it takes, in simulated time."""

    async def in_time() -> Run:
        world = World(seed, store, connection, mutation)
        seconds = await world.run()
        (tasks,) = connection.execute("SELECT count(*) FROM tasks").fetchone()
        found = broken(world, seconds)
        return Run(seed, found, world.trace, tasks, len(world.told), len(world.mishaps), seconds)

    with memory_store() as (store, connection), structlog.testing.capture_logs():
        return simulated(in_time())
