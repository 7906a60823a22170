"""`make simulate`: shows the run of one seed step by step, or searches for a seed that breaks an invariant."""

import random
import sys

from tests.simulation.simulation import run

_SEEDS = 1_000


def main(arguments: list[str]) -> int:
    """Run the given seed, or up to 1,000 random ones until one breaks an invariant. Return the exit status."""
    if arguments:
        replayed = run(int(arguments[0]))
        print("\n".join(replayed.trace))
        print(replayed)
        return 1 if replayed.broken else 0
    first = random.randrange(10**9)
    for seed in range(first, first + _SEEDS):
        if (found := run(seed)).broken:
            print(found)
            return 1
    print(f"{_SEEDS} seeds, starting with {first}: every invariant holds")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
