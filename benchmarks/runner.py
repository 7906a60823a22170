"""Measures what the runner of `make dev` costs each request, because it copies the log lines of all services."""

from pathlib import Path

from benchmarks.dev_services import services
from benchmarks.report import Target, spread, table
from benchmarks.requests import CONNECTIONS, Sample, measure, prepare
from benchmarks.running import Options

_OPERATIONS = ("create", "get")


async def cost(directory: Path, options: Options) -> tuple[str, list[Target]]:
    """Compare requests with the log lines going through the runner, and past it."""
    through: dict[str, list[Sample]] = {operation: [] for operation in _OPERATIONS}
    past: dict[str, list[Sample]] = {operation: [] for operation in _OPERATIONS}
    for turn in range(options.rounds):
        options.progress(f"round {turn + 1} of {options.rounds}: the runner of make dev")
        async with (
            services(directory / f"through-{turn}", "through") as with_runner,
            services(directory / f"past-{turn}", "past") as without,
        ):
            prepared = [(system, await prepare(system)) for system in (with_runner, without)]
            for operation in _OPERATIONS:
                for (system, ids), samples in zip(prepared, (through, past), strict=True):
                    samples[operation].append(await measure(system, ids, operation, CONNECTIONS, options.seconds))
    rows, targets = [["runner of make dev", "its CPU, ms per request", "added ms per request"]], []
    for operation in _OPERATIONS:
        pairs = zip(through[operation], past[operation], strict=True)
        added = [1000 / slow.rate - 1000 / fast.rate for slow, fast in pairs]
        own = [1000 * each.cpu["runner"] for each in through[operation]]
        name = f"{operation.upper()} c={CONNECTIONS}"
        rows.append([name, spread(own), spread(added)])
        targets.append(Target(f"{name}: CPU of the runner of make dev", own, 0.05, unit=" ms"))
    return table(*rows), targets
