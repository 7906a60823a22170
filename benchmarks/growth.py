"""Measures how costs grow with the number of tasks, of watchers, and of events in a backlog: `make bench-growth`."""

import random
from functools import partial
from pathlib import Path

from benchmarks.events import contains_all, create_at_rate, drain
from benchmarks.report import Target, number, table
from benchmarks.requests import Latencies, measure
from benchmarks.running import Options
from benchmarks.systems import mesh
from tests.support.edge_api.light_client import watched
from tests.support.eventually import eventually
from tests.support.task_svc.many_tasks import many_tasks

_TASKS = (1_000, 10_000, 100_000, 1_000_000)
_WATCHERS, _RATE = (1_000, 10_000), 200
_BACKLOGS = (10_000, 100_000)


async def by_tasks(directory: Path, options: Options) -> tuple[str, list[Target]]:
    """Measure one connection's requests by the number of tasks of its user."""
    rows = [["tasks of one user", "list p50 ms", "get p50 ms", "create p50 ms", "file MiB"]]
    for tasks in _TASKS:
        options.progress(f"{tasks} tasks")
        (folder := directory / f"tasks-{tasks}").mkdir()
        many_tasks(file := folder / "tasks.db", tasks, deleted="0").close()
        size = f"{file.stat().st_size / 2**20:.0f}"
        ids = [f"{number:026}" for number in random.Random(1).choices(range(tasks), k=1000)]  # noqa: S311
        async with mesh(folder) as system:
            found = [
                await measure(system, {"ann": ids}, operation, 1, options.seconds)
                for operation in ("list", "get", "create")
            ]
        rows.append([f"{tasks:,}", *(number(1000 * each.latencies.percentile(50)) for each in found), size])
    return table(*rows), []


async def by_watchers(directory: Path, options: Options) -> tuple[str, list[Target]]:
    """Measure events at a steady rate by the number of watchers, one for each user."""
    rows = [[f"watchers, {_RATE} creates/s", "event p50 ms", "p99 ms", "edge: CPU ms per create", "KiB per watcher"]]
    for watchers in _WATCHERS:
        options.progress(f"{watchers} watchers")
        users = [f"user-{number}" for number in range(watchers)]
        due: dict[str, float] = {}
        received: dict[str, float] = {}
        async with mesh(directory / f"watchers-{watchers}") as system:
            size = system.memory()["edge_api"]
            async with watched(system.port, users, received.__setitem__):
                size = system.memory()["edge_api"] - size
                cpu = system.cpu()["edge_api"]
                creates = await create_at_rate(system.port, users, _RATE, 5 * options.seconds, due=due.__setitem__)
                await eventually(partial(contains_all, received, due))
                cpu = system.cpu()["edge_api"] - cpu
        delays = Latencies([received[title] - at for title, at in due.items()])
        p50, p99 = (number(1000 * delays.percentile(percent)) for percent in (50, 99))
        rows.append([f"{watchers:,}", p50, p99, number(1000 * cpu / creates), number(size / watchers / 1024)])
    return table(*rows), []


async def by_backlog(directory: Path, options: Options) -> tuple[str, list[Target]]:
    """Measure the notifier by the number of events in a backlog."""
    rows = [["events in the backlog", "drained/s", "notifier: peak resident MiB"]]
    for events in _BACKLOGS:
        options.progress(f"a backlog of {events} events")
        rate, peak = await drain(directory / f"backlog-{events}", events)
        rows.append([f"{events:,}", number(rate), number(peak / 2**20)])
    return table(*rows), []
