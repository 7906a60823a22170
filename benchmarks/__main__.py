"""`make bench`: compare the mesh with simpler systems on this machine, and print tables of the results.

`make bench ARGS=growth` measures how the costs of the mesh grow instead. Progress is reported on stderr.
"""

import argparse
import gc
import resource
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import uvloop

from benchmarks import comparison, events, growth, runner
from benchmarks.report import Target, machine, table
from benchmarks.requests import UnexpectedStatus
from benchmarks.running import Options, begin
from tests import ROOT

_PARTS = {
    "compare": {
        "requests": comparison.requests,
        "memory": comparison.memory,
        "notifications": events.delays,
        "backlog": events.drains,
        "runner": runner.cost,
    },
    "growth": {"tasks": growth.by_tasks, "watchers": growth.by_watchers, "backlog": growth.by_backlog},
}
Part = Callable[[Path, Options], Awaitable[tuple[str, list[Target]]]]


async def run(directory: Path, parts: Sequence[Part], options: Options) -> None:
    """Run these parts and print their tables, and one with the targets."""
    targets: list[Target] = []
    for part in parts:
        text, found = await part(directory, options)
        print(text, flush=True)
        targets += found
    if targets:
        print(table(["targets", "measured", "target", ""], *(target.row() for target in targets), left=(0, 3)))


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("kind", nargs="?", choices=_PARTS, default="compare", help="what to measure")
    parts = "; ".join(f"{kind}: {', '.join(parts)}" for kind, parts in _PARTS.items())
    parser.add_argument("--only", metavar="PARTS", help=f"parts to run, separated by commas ({parts})")
    parser.add_argument("--rounds", type=int, default=3, help="how often to measure everything, in turn")
    parser.add_argument("--seconds", type=float, default=1.5, help="duration of one measurement")
    parser.add_argument("--backlog", type=int, default=10_000, help="events in the backlog")
    given = parser.parse_args()
    known = _PARTS[given.kind]
    names = given.only.split(",") if given.only else list(known)
    if not set(names) <= set(known):
        parser.error(f"--only must name parts of {given.kind}: {', '.join(known)}")
    if given.rounds < 1 or given.seconds < 0.5 or given.backlog < 1:
        parser.error("--rounds and --backlog must be at least 1, and --seconds at least 0.5")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    gc.freeze()  # the collector of this process would delay the requests that it sends
    (cache := ROOT / ".cache").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=cache) as folder:  # not in /tmp, which can be in memory
        turns = f"{given.rounds} rounds: median (lowest to highest)" if given.kind == "compare" else "one round"
        print(f"{machine()}\n{turns}; {given.seconds:g} s for each measurement\n", flush=True)
        options = Options(given.rounds, given.seconds, given.backlog, begin())
        try:
            uvloop.run(run(Path(folder), [known[name] for name in names], options))
        except UnexpectedStatus as error:
            sys.exit(f"The measurement is invalid. {error}")
        except KeyboardInterrupt:
            sys.exit("stopped")


if __name__ == "__main__":
    main()
