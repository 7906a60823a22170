"""Under whatever order of mishaps, what was acknowledged is told, once, and everything comes to rest by itself."""

import os
import subprocess
import sys

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.simulation import run

SEEDS, PARTS = 2_000, 8
SOON_ENOUGH = 600


@pytest.mark.parametrize("part", range(PARTS))
def test_every_invariant_holds_under_every_seed(part: int) -> None:
    for seed in range(part, SEEDS, PARTS):
        found = run(seed)
        assert not found.broken, str(found)


def test_the_seeds_cover_calm_and_rough_runs() -> None:
    runs = [run(seed) for seed in range(40)]
    assert {each.mishaps for each in runs} >= {0, 1, 2, 3, 4, 5}
    assert sum(each.tasks for each in runs) >= 100
    assert any(each.told > each.tasks for each in runs)


@pytest.mark.parametrize("name", MUTANTS)
def test_an_order_that_is_wrong_is_found(name: str) -> None:
    assert any(run(seed, MUTANTS[name]).broken for seed in range(SOON_ENOUGH))


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_seed_goes_the_same_way_again_in_any_process(hash_seed: str) -> None:
    seeds = (3, 7, 11)
    program = f"from tests.simulation.simulation import run\nfor seed in {seeds}: print(run(seed).digest)"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    answer = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60
    )
    assert answer.stdout.split() == [run(seed).digest for seed in seeds], answer.stderr
