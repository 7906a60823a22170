"""Measures notifications: their delay at a steady rate, and the rate at which the notifier drains a backlog."""

import asyncio
import itertools
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
from redis.asyncio import Redis

from benchmarks.report import Target, spread, table
from benchmarks.requests import Latencies, measure
from benchmarks.running import Options
from benchmarks.systems import mesh, production
from tests.support.edge_api.light_client import creator, watching
from tests.support.eventually import eventually
from tests.support.task_svc.backlog import fill

RATE, CONNECTIONS, USERS = 100, 32, [f"user-{number}" for number in range(8)]


async def create_at_rate(
    port: int,
    users: list[str],
    rate: float | None,
    seconds: float,
    *,
    due: Callable[[str, float], None] = lambda _title, _at: None,
    answered: Callable[[str, float], None] = lambda _title, _at: None,
) -> int:
    """Create tasks at a fixed rate, regardless of response times; as fast as possible if `rate` is None.

    Calls `due` with the title of each task and the scheduled time, and `answered` with the time of the response.
    Returns the number of tasks.
    """
    connections = [await creator(port, users[number % len(users)]) for number in range(CONNECTIONS)]
    begun, created = time.perf_counter(), itertools.count()

    async def work(number: int) -> None:
        for count in itertools.count():
            # Each connection has its share of the schedule; it can be late but never early.
            at = time.perf_counter() if rate is None else begun + (number + count * CONNECTIONS) / rate
            if at >= begun + seconds or time.perf_counter() >= begun + 2 * seconds:
                return
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            due(title := f"Task {begun} {next(created)}", at)
            await connections[number].create(title)
            answered(title, time.perf_counter())

    await asyncio.gather(*(work(number) for number in range(CONNECTIONS)))
    for connection in connections:
        await connection.close()
    return next(created)


async def delays(directory: Path, options: Options) -> tuple[str, list[Target]]:
    """Measure the time from the response of a create to the notification at a watcher of its user."""
    creates, p50, p99 = [], [], []
    for turn in range(options.rounds):
        options.progress(f"round {turn + 1} of {options.rounds}: {RATE} creates per second, with watchers")
        (folder := directory / f"delays-{turn}").mkdir()
        async with mesh(folder) as system:
            one = await measure(system, {USERS[0]: ()}, "create", 1, options.seconds)
            answered: dict[str, float] = {}
            notified: dict[str, float] = {}
            streams = [await watching(system.port, user, notified.__setitem__, "notification") for user in USERS]
            await create_at_rate(system.port, USERS, RATE, 5 * options.seconds, answered=answered.__setitem__)
            await eventually(partial(contains_all, notified, answered))
            for stream in streams:
                stream.transport.abort()
        delay = Latencies([max(0.0, notified[title] - at) for title, at in answered.items()])
        creates.append(one.latencies.percentile(50))
        p50.append(delay.percentile(50))
        p99.append(delay.percentile(99))
    rows = [("create, one connection: p50", creates), ("201 → notification: p50", p50), ("p99", p99)]
    milliseconds = [[name, spread([1000 * each for each in values])] for name, values in rows]
    targets = [
        Target(f"notification {name} / p50 of a create", [a / b for a, b in zip(values, creates, strict=True)], limit)
        for name, values, limit in (("p50", p50, 4), ("p99", p99, 20))
    ]
    return table([f"notifications at {RATE}/s", "ms"], *milliseconds), targets


async def contains_all(found: dict[str, float], wanted: dict[str, float]) -> bool:
    """Return whether all wanted titles are found."""
    return wanted.keys() <= found.keys()


async def drains(directory: Path, options: Options) -> tuple[str, list[Target]]:
    """Measure the rate at which the notifier drains a backlog."""
    rates = []
    for turn in range(options.rounds):
        options.progress(f"round {turn + 1} of {options.rounds}: a backlog of {options.backlog} events")
        rates.append((await drain(directory / f"drain-{turn}", options.backlog))[0])
    target = Target("the notifier's drain rate", rates, 3000, is_minimum=True, unit=" events/s")
    return table(["backlog", "events/s"], [f"{options.backlog:,} events", spread(rates)]), [target]


async def drain(directory: Path, events: int) -> tuple[float, float]:
    """Let the notifier process a backlog: record, deliver to the console, confirm and acknowledge each event.

    Return the events per second, and the greatest resident memory of the notifier in bytes.
    """
    with production(directory) as running:
        await fill(running.store, events, users=200)
        await asyncio.to_thread(running.valkey.start)
        running.task.start()
        await running.task_serves()
        async with Redis.from_url(running.valkey.url, socket_timeout=30) as redis:
            await eventually(lambda: _is_published(redis, events), within=600)
            running.notify.start()
            await eventually(lambda: _is_consuming(redis))
            begun, peak = time.perf_counter(), 0.0
            while not await running.queue_is_drained():
                peak = max(peak, psutil.Process(running.notify.pid).memory_info().rss)
                await asyncio.sleep(0.05)
        seconds = time.perf_counter() - begun
        delivered = len(running.notify.lines("notification"))
        assert (delivered, running.outbox()) == (events, 0), f"{delivered} delivered, {running.outbox()} not confirmed"
    return events / seconds, peak


async def _is_published(redis: Redis, events: int) -> bool:
    return bool(await redis.xlen("task-events") >= events)


async def _is_consuming(redis: Redis) -> bool:
    return bool(await redis.exists("task-events")) and bool(await redis.xinfo_groups("task-events"))
