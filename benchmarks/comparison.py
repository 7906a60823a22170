"""Compares the mesh with its peers: requests per second, latency, CPU, memory, with the requests going to the edge.

In each round all systems run at the same time, and each measurement visits one after the other, so that what else
happens on the machine affects all of them.
"""

import itertools
from collections import defaultdict
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

from benchmarks.report import Target, number, spread, table
from benchmarks.requests import CONNECTIONS, OPERATIONS, Sample, measure, prepare
from benchmarks.running import Options
from benchmarks.systems import SYSTEMS

_TARGETS = {"get": ("bare-hop", 0.60), "create": ("monolith-minimal", 0.60), "list": ("monolith-minimal", 0.45)}
"""The peer of an operation, and the least share of its requests per second, with all connections."""
Samples = dict[tuple[str, int, str], list[Sample]]


async def requests(directory: Path, options: Options) -> tuple[str, list[Target]]:
    """Measure each operation with one connection and with several."""
    samples: Samples = defaultdict(list)
    for turn in range(options.rounds):
        async with AsyncExitStack() as stack:
            prepared = []
            for name, start in SYSTEMS.items():
                (folder := directory / f"{name}-{turn}").mkdir()
                system = await stack.enter_async_context(start(folder))
                prepared.append((system, await prepare(system)))
            for operation, connections in itertools.product(OPERATIONS, (1, CONNECTIONS)):
                options.progress(f"round {turn + 1} of {options.rounds}: {operation}, {connections} connections")
                for system, ids in prepared:
                    if operation in system.operations:
                        sample = await measure(system, ids, operation, connections, options.seconds)
                        samples[operation, connections, system.name].append(sample)
    return f"{_rates(samples)}\n{_cpu(samples)}", _targets(samples)


async def memory(directory: Path, options: Options) -> tuple[str, list[Target]]:
    """Measure the memory of each system while it runs alone: idle, and after each operation with all connections."""
    rows, targets = [["memory (PSS, MiB)", "idle", "after load", "each process after load"]], []
    for name, start in SYSTEMS.items():
        options.progress(f"memory: {name}")
        (folder := directory / f"memory-{name}").mkdir()
        async with start(folder) as system:
            await system.settled()
            idle = system.memory()
            ids = await prepare(system)
            for operation in system.operations:
                await measure(system, ids, operation, CONNECTIONS, options.seconds)
            loaded = {process: size / 2**20 for process, size in system.memory().items()}
        each = ", ".join(f"{process} {size:.0f}" for process, size in loaded.items())
        rows.append([name, f"{sum(idle.values()) / 2**20:.0f}", f"{sum(loaded.values()):.0f}", each])
        if name == "mesh":
            own = sum(size for process, size in loaded.items() if process != "valkey")
            targets.append(Target("memory of the three services after load", [own], 200, unit=" MiB"))
    return table(*rows, left=(0, 3)), targets


def _ratios(samples: Samples, operation: str, connections: int, peer: str) -> list[float]:
    """Return the requests per second of the mesh divided by those of a peer, in each round."""
    pairs = zip(samples[operation, connections, "mesh"], samples[operation, connections, peer], strict=True)
    return [mesh.rate / other.rate for mesh, other in pairs]


def _rates(samples: Samples) -> str:
    rows, last = [["requests", "", "per second", "p50 ms", "p99 ms", "mesh/peer"]], None
    for (operation, connections, name), found in samples.items():
        if last not in (None, (operation, connections)):
            rows.append([])
        last = operation, connections
        p50, p99 = ([1000 * each.latencies.percentile(percent) for each in found] for percent in (50, 99))
        ratio = "" if name == "mesh" else spread(_ratios(samples, operation, connections, name))
        title = f"{operation.upper()} c={connections}"
        rows.append([title, name, spread([each.rate for each in found]), spread(p50), spread(p99), ratio])
    return table(*rows, left=(0, 1))


def _cpu(samples: Samples) -> str:
    rows = [["CPU per request (ms)", "", "total", "peer/mesh", "each process"]]
    for (operation, connections, name), found in samples.items():
        if connections == CONNECTIONS:
            totals = [sum(each.cpu.values()) for each in found]
            of_mesh = [sum(each.cpu.values()) for each in samples[operation, connections, "mesh"]]
            ratio = [peer / mesh for peer, mesh in zip(totals, of_mesh, strict=True)]
            medians = {process: 1000 * median(each.cpu[process] for each in found) for process in found[0].cpu}
            text = ", ".join(f"{process} {number(cpu)}" for process, cpu in medians.items())
            total = spread([1000 * each for each in totals])
            rows.append(
                [f"{operation.upper()} c={connections}", name, total, "" if name == "mesh" else spread(ratio), text]
            )
    return table(*rows, left=(0, 1, 4))


def _targets(samples: Samples) -> list[Target]:
    def p50(name: str) -> list[float]:
        return [each.latencies.percentile(50) for each in samples["get", 1, name]]

    targets = []
    for operation, (peer, limit) in _TARGETS.items():
        name = f"{operation.upper()} c={CONNECTIONS}: mesh/{peer}"
        targets.append(Target(name, _ratios(samples, operation, CONNECTIONS, peer), limit, is_minimum=True))
    slower = [mesh / bare for mesh, bare in zip(p50("mesh"), p50("bare-hop"), strict=True)]
    return [*targets, Target("GET c=1: p50 of mesh/bare-hop", slower, 2)]
