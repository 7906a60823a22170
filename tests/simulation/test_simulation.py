"""Under random faults, every acknowledged event notifies once, and the mesh comes to rest without intervention."""

import os
import subprocess
import sys

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.simulation import run

SEEDS, PARTS = 2_000, 8
QUICK_PARTS = 4
SEEDS_PER_MUTANT = 600


@pytest.mark.parametrize(
    "part", [*range(QUICK_PARTS), *(pytest.param(part, marks=pytest.mark.slow) for part in range(QUICK_PARTS, PARTS))]
)
def test_every_invariant_holds_under_every_seed(part: int) -> None:
    for seed in range(part, SEEDS, PARTS):
        found = run(seed)
        assert not found.broken, str(found)


def test_the_seeds_cover_calm_and_rough_runs() -> None:
    runs = [run(seed) for seed in range(40)]
    assert {each.faults for each in runs} >= {0, 1, 2, 3, 4, 5}
    assert sum(each.tasks for each in runs) >= 100
    assert any(each.notified > each.tasks for each in runs)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutation_is_detected(name: str) -> None:
    assert any(run(seed, MUTANTS[name]).broken for seed in range(SEEDS_PER_MUTANT))


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_seed_gives_the_same_run_in_any_process(hash_seed: str) -> None:
    seeds = (3, 7, 11)
    program = f"from tests.simulation.simulation import run\nfor seed in {seeds}: print(run(seed).digest)"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    completed = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60
    )
    assert completed.stdout.split() == [run(seed).digest for seed in seeds], completed.stderr
