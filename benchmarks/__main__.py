"""`make bench`: compare the mesh with simpler systems on this machine, and print tables of the results.

`make bench ARGS=growth` measures how the costs of the mesh grow instead. Progress is reported on stderr.
"""

import argparse
import gc
import resource
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import uvloop

from benchmarks import comparison, events, growth, runner
from benchmarks.report import Target, machine, table
from benchmarks.requests import UnexpectedStatus
from benchmarks.running import begin
from tests import ROOT

_PARTS = ("requests", "memory", "notifications", "backlog", "runner")


async def compare(directory: Path, parts: Sequence[str], options: argparse.Namespace) -> None:
    """Run these parts of the comparison and print their tables, and one with the targets."""
    progress, rounds, seconds = begin(), options.rounds, options.seconds
    targets: list[Target] = []
    for part in parts:
        if part == "requests":
            text, found = await comparison.requests(directory, rounds, seconds, progress)
        elif part == "memory":
            text, found = await comparison.memory(directory, seconds, progress)
        elif part == "notifications":
            text, found = await events.delays(directory, rounds, seconds, progress)
        elif part == "backlog":
            text, found = await events.drains(directory, rounds, options.backlog, progress)
        else:
            text, found = await runner.cost(directory, rounds, seconds, progress)
        print(text, flush=True)
        targets += found
    print(table(["targets", "measured", "target", ""], *(target.row() for target in targets), left=(0, 3)))


async def grow(directory: Path, parts: Sequence[str], options: argparse.Namespace) -> None:
    """Run these parts of the growth measurements and print their tables."""
    progress = begin()
    for part in parts:
        print(await growth.PARTS[part](directory, options.seconds, progress), flush=True)


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("kind", nargs="?", choices=("compare", "growth"), default="compare", help="what to measure")
    parser.add_argument("--only", help=f"parts, separated by commas: {', '.join((*_PARTS, *growth.PARTS))}")
    parser.add_argument("--rounds", type=int, default=3, help="how often to measure everything, in turn")
    parser.add_argument("--seconds", type=float, default=1.5, help="duration of one measurement")
    parser.add_argument("--backlog", type=int, default=10_000, help="events in the backlog")
    options = parser.parse_args()
    known = _PARTS if options.kind == "compare" else tuple(growth.PARTS)
    parts = options.only.split(",") if options.only else known
    if not set(parts) <= set(known):
        parser.error(f"--only must name parts of {options.kind}: {', '.join(known)}")
    if options.rounds < 1 or options.seconds < 0.5:
        parser.error("--rounds must be at least 1, and --seconds at least 0.5")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    gc.freeze()  # the collector of this process would delay the requests that it sends
    (cache := ROOT / ".cache").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=cache) as folder:  # not in /tmp, which can be in memory
        print(
            f"{machine()}\n{options.rounds} rounds of {options.seconds:g} s: median (lowest to highest)\n", flush=True
        )
        try:
            uvloop.run((compare if options.kind == "compare" else grow)(Path(folder), parts, options))
        except UnexpectedStatus as error:
            sys.exit(f"The measurement is invalid. {error}")
        except KeyboardInterrupt:
            sys.exit("stopped")


if __name__ == "__main__":
    main()
