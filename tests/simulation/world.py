"""The path of an event in one process: two task services, two notification services, a store, a queue, and clients.

The services run their own code; the queue, the network, clocks and randomness are simulated, and faults are injected.
The seed determines the whole run.
"""

import asyncio
import random
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar, cast

import grpc
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from ulid import ULID

from chassis.background_jobs import Job, background
from chassis.errors import InvalidInput, ServiceError
from chassis.tracing import Tracing
from notify_svc.composition import Notifier
from notify_svc.domain import Notification
from notify_svc.settings import NotifySettings
from notify_svc.storage import redis_keys as queue
from task_svc.domain import Status, Task, TaskFields
from task_svc.event_stream import RedisEventStream
from task_svc.jobs import keep_reminding
from task_svc.relay import Pauses, Relay
from task_svc.relay_metrics import RelayMetrics
from task_svc.repository import TaskRepository
from task_svc.use_cases import Tasks
from tests.simulation.network import Network, Process, Server
from tests.simulation.ports import SinkChannel, TaskService, redis_over, rpc_error, sink_error, store_error, store_over
from tests.simulation.redis_model import RedisModel

T = TypeVar("T")
Work = Callable[[Tasks], Coroutine[Any, Any, T]]

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
FAULTS_SECONDS = 12.0
REST_SECONDS = 300.0
USERS = ("ann", "bob")

_PAUSES = Pauses(sweep=timedelta(seconds=2), first_check=timedelta(seconds=4), longest_check=timedelta(seconds=16))
_LEAD = timedelta(seconds=5)
_RPC_SECONDS = 3.0
_RETRIED = (grpc.StatusCode.UNAVAILABLE,)


@cache
def _settings() -> NotifySettings:
    return NotifySettings(
        claim_idle_seconds=4,
        delivery_timeout_seconds=2.5,
        delivery_lease_seconds=4,
        delivery_poll_seconds=2,
        retry_longest_seconds=4,
        max_attempts=20,
        max_deliveries=20,
    )


@cache
def _tracing() -> Tracing:
    return Tracing("simulation", None)


@dataclass
class CreateRequest:
    """A create request and its outcome: "ok" with a task id, "fail" if it was refused, or "unknown"."""

    owner: str
    key: str
    fields: TaskFields
    outcome: str = "unknown"
    task_id: str | None = None


@dataclass
class Mutation:
    """The parts of the services that a test replaces with broken ones."""

    tasks: type[Tasks] = Tasks
    notifier: type[Notifier] = Notifier
    store: Callable[[TaskRepository, sqlite3.Connection], TaskRepository] = lambda store, _connection: store


@dataclass
class Site:
    """A replica of a service: its current process and its clock's skew. Each restart increases `lives`."""

    name: str
    skew: float = 0.0
    lives: int = 0
    process: Process | None = None
    tasks: Tasks | None = None


class World:
    """One simulated mesh."""

    def __init__(self, seed: int, store: TaskRepository, connection: sqlite3.Connection, mutation: Mutation) -> None:
        self.rng = random.Random(seed)
        self.trace: list[str] = []
        self.network = Network(self.rng, self._note)
        self.connection = connection
        self.mutation = mutation
        self.store = mutation.store(store, connection)
        self.redis = RedisModel(lambda: self._clock_ms(0))
        self.store_server = Server("store", store_error)
        self.queue_server = Server("queue", RedisConnectionError)
        self.sink_server = Server("sink", sink_error)
        self.task_sites = [Site("task-1"), Site("task-2")]
        self.notify_sites = [Site("notify-1"), Site("notify-2")]
        self.client = Process("client")
        self.creates: list[CreateRequest] = []
        self.notified: list[Notification] = []
        self.published: list[str] = []
        self.emptied = 0
        self.faults: list[str] = []
        self._loop = asyncio.get_running_loop()

    # Clocks, ids and randomness for the services

    def _note(self, what: str) -> None:
        self.trace.append(f"{self._loop.time():9.4f} {what}")

    def _clock_ms(self, skew: float) -> int:
        return int((START.timestamp() + self._loop.time() + skew) * 1000)

    def _clock(self, site: Site) -> datetime:
        return START + timedelta(seconds=self._loop.time() + site.skew)

    def _new_id(self, now: datetime) -> str:
        milliseconds = int(now.timestamp() * 1000)
        return str(ULID(milliseconds.to_bytes(6, "big") + self.rng.randbytes(10)))

    def _jitter(self) -> float:
        return self.rng.uniform(0.5, 1.5)

    # Services

    def start_tasks(self, site: Site) -> None:
        process = self._new_process(site)
        registry = CollectorRegistry()
        store = store_over(self.network, process, self.store_server, self.store)
        redis = self._redis(process, repeats=False)
        clock = lambda: self._clock(site)  # noqa: E731
        relay = Relay(store, RedisEventStream(redis), clock, _PAUSES, RelayMetrics(registry))
        site.tasks = self.mutation.tasks(store, clock, relay.publish_soon, _LEAD, self._new_id)
        tasks = site.tasks
        jobs: dict[str, Job] = {
            "publish": relay.publish_written,
            "note-published": relay.note_published,
            "sweep": relay.sweep,
            "remind": lambda: keep_reminding(tasks),
        }
        process.start(self._work(jobs, registry))

    def start_notifier(self, site: Site) -> None:
        process = self._new_process(site)
        registry = CollectorRegistry()
        # A restarted container may have its former name or a new one.
        name = site.name if self.rng.random() < 0.5 else process.name
        stub = cast(Any, TaskService(lambda label, work: self._retried(process, label, work)))
        notifier = self.mutation.notifier(
            _settings().model_copy(update={"consumer": name}),
            [SinkChannel(self.network, process, self.sink_server, self.notified)],
            self._redis(process, repeats=True),
            self._redis(process, repeats=False),
            stub,
            stub,
            registry=registry,
            tracer=_tracing().tracer,
            clock=lambda: self._clock_ms(site.skew),
            jitter=self._jitter,
        )
        # The other two jobs serve only watchers and metrics.
        jobs = {name: job for name, job in notifier.jobs().items() if name not in ("tail", "gauges")}
        process.start(self._work(jobs, registry))

    def _redis(self, process: Process, *, repeats: bool) -> Redis:
        route = self.network, process, self.queue_server, self.redis
        return redis_over(*route, repeats=repeats, published=self.published)

    def _new_process(self, site: Site) -> Process:
        site.lives += 1
        site.process = Process(f"{site.name}.{site.lives}")
        self._note(f"{site.process.name} starts")
        return site.process

    async def _work(self, jobs: dict[str, Job], registry: CollectorRegistry) -> None:
        async with background(jobs, registry, self._jitter):
            await asyncio.Event().wait()

    # Calls to the task services

    async def _retried(self, caller: Process, label: str, work: Work[T]) -> T:
        """Retry UNAVAILABLE twice, as gRPC's service config does."""
        for last in (False, False, True):
            try:
                return await self.call(caller, label, work)
            except grpc.aio.AioRpcError as error:
                if last or error.code() not in _RETRIED:
                    raise
            await asyncio.sleep(0.1 * self._jitter())
        raise AssertionError

    async def call(self, caller: Process, label: str, work: Work[T]) -> T:
        """Call a task service. Raises AioRpcError, and the InvalidInput of `work`."""
        site = self.rng.choice(self.task_sites)
        await asyncio.sleep(self.network.delay())
        if not (caller.is_alive and site.process and site.process.is_alive and site.tasks) or self.network.happens():
            raise rpc_error(grpc.StatusCode.UNAVAILABLE)
        called = site.process
        # A transparent retry may send the same call twice.
        calls = [called.start(work(site.tasks)) for _ in range(1 + self.network.happens())]
        done, _ = await asyncio.wait(calls, timeout=_RPC_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(self.network.delay())
        if not done or not called.is_alive or self.network.happens():
            self._note(f"{caller.name} {label}: no response from {called.name}")
            raise rpc_error(grpc.StatusCode.UNAVAILABLE)
        try:
            return cast(T, min(done, key=calls.index).result())
        except ServiceError as error:
            if isinstance(error, InvalidInput):
                raise
            raise rpc_error(grpc.StatusCode.UNAVAILABLE) from None

    # Clients

    async def run_client(self, number: int) -> None:
        for n in range(self.rng.randint(1, 3)):
            await asyncio.sleep(self.rng.uniform(0, 4))
            owner = self.rng.choice(USERS)
            due = None
            if self.rng.random() < 0.4:
                due = self._clock(Site("")) + timedelta(seconds=self.rng.uniform(6, 15))
            fields = TaskFields(title=f"Task {number}-{n}", due_time=due)
            if create := await self._create(owner, f"key-{number}-{n}", fields):
                await self._use(create)
        if self.rng.random() < 0.2:
            await self._create("ann", f"blank-{number}", TaskFields(title=" "))

    async def _create(self, owner: str, key: str, fields: TaskFields) -> CreateRequest | None:
        create = CreateRequest(owner, key, fields)
        self.creates.append(create)
        for _ in range(self.rng.randint(1, 5)):
            try:
                task = await self.call(self.client, f"Create {key}", lambda tasks: tasks.create(owner, fields, key))
            except InvalidInput:
                create.outcome = "fail"
                return None
            except grpc.aio.AioRpcError:
                await asyncio.sleep(self.rng.uniform(0, 1))
                continue
            create.outcome, create.task_id = "ok", task.id
            return create
        return None

    async def _use(self, create: CreateRequest) -> None:
        """Write to an existing task a few times; some writes may fail or get no response."""
        task_id, owner = cast(str, create.task_id), create.owner
        is_fast = self.rng.random() < 0.4
        for n in range(self.rng.randint(0, 3)):
            await asyncio.sleep(self.rng.uniform(0, 0.1 if is_fast else 4))
            later = self._clock(Site("")) + timedelta(seconds=self.rng.uniform(6, 15))
            verb = self.rng.choice(("rename", "rename", "put off", "put off", "finish", "delete"))

            changes: dict[str, dict[str, Any]] = {
                "rename": {"title": f"{create.fields.title} {n}"},
                "put off": {"due_time": later},
                "finish": {"status": Status.DONE},
            }

            changed = changes.get(verb)

            async def work(tasks: Tasks, changed: dict[str, Any] | None = changed) -> Task:
                if changed is None:
                    return await tasks.delete(owner, task_id, "")
                return await tasks.update(owner, task_id, lambda fields: replace(fields, **changed), "")

            with suppress(grpc.aio.AioRpcError):
                await self.call(self.client, f"{verb} {task_id}", work)

    # Faults

    async def inject_faults(self) -> None:
        self.network.fault_rate = self.rng.choice((0, 0.01, 0.04))
        faults = [self.rng.choice(self.FAULTS) for _ in range(self.rng.randint(0, 5))]
        await asyncio.gather(*(self._inject(fault) for fault in faults))

    async def _inject(self, fault: str) -> None:
        await asyncio.sleep(self.rng.uniform(0, FAULTS_SECONDS))
        seconds = self.rng.choice((0.1, 1.0, 5.0))
        self.faults.append(fault)
        self._note(f"fault: {fault}, {seconds} s")
        await getattr(self, fault)(seconds)

    FAULTS = (
        *("kill_tasks", "kill_notifier") * 3,
        *("queue_refuses", "queue_hangs", "queue_is_emptied", "stream_is_trimmed"),
        *("store_refuses", "store_hangs", "sink_refuses", "clock_jumps", "entries_are_claimed", "events_are_repeated"),
    )

    async def kill_tasks(self, seconds: float) -> None:
        site = self.rng.choice(self.task_sites)
        self._kill(site)
        await asyncio.sleep(seconds)
        self._restart(site)

    async def kill_notifier(self, seconds: float) -> None:
        site = self.rng.choice(self.notify_sites)
        self._kill(site)
        await asyncio.sleep(seconds)
        self._restart(site)

    def _kill(self, site: Site) -> None:
        if site.process is not None:
            self._note(f"{site.process.name} is killed")
            site.process.crash()
        site.tasks = None

    def _restart(self, site: Site) -> None:
        if site.process is None or not site.process.is_alive:
            (self.start_tasks if site in self.task_sites else self.start_notifier)(site)

    async def queue_refuses(self, seconds: float) -> None:
        await self._refuse(self.queue_server, seconds)

    async def store_refuses(self, seconds: float) -> None:
        await self._refuse(self.store_server, seconds)

    async def sink_refuses(self, seconds: float) -> None:
        await self._refuse(self.sink_server, seconds)

    async def _refuse(self, server: Server, seconds: float) -> None:
        server.refuses = True
        server.restart()
        await asyncio.sleep(seconds)
        server.refuses = False

    async def queue_hangs(self, seconds: float) -> None:
        await self._hang(self.queue_server, seconds)

    async def store_hangs(self, seconds: float) -> None:
        await self._hang(self.store_server, seconds)

    async def _hang(self, server: Server, seconds: float) -> None:
        server.is_silent = True
        await asyncio.sleep(seconds)
        server.is_silent = False

    async def queue_is_emptied(self, seconds: float) -> None:
        self.queue_server.restart()
        self.redis.clear()
        self.emptied += 1

    async def stream_is_trimmed(self, seconds: float) -> None:
        self.redis.do("XTRIM", queue.EVENTS, "MAXLEN", 0)

    async def clock_jumps(self, seconds: float) -> None:
        site = self.rng.choice((*self.task_sites, *self.notify_sites))
        site.skew += self.rng.choice((-3600.0, -60.0, 60.0, 3600.0))

    async def entries_are_claimed(self, seconds: float) -> None:
        """Let another consumer claim all pending entries, and not handle them."""
        stream = self.redis.data.get(queue.EVENTS.encode())
        if stream is not None and queue.GROUP.encode() in stream.groups:
            self.redis.do("XAUTOCLAIM", queue.EVENTS, queue.GROUP, "other", 0, "0-0", "COUNT", 1000)

    async def events_are_repeated(self, seconds: float) -> None:
        """Publish all entries of the stream again."""
        stream = self.redis.data.get(queue.EVENTS.encode())
        for flat in list(stream.entries.values()) if stream is not None else []:
            self.redis.do("XADD", queue.EVENTS, "*", *flat)
        self.queue_server.wake_waiting()

    # The run

    async def run(self) -> float:
        """Run clients and faults, then wait until the mesh is at rest; return the seconds that this took."""
        for site in self.task_sites:
            self.start_tasks(site)
        for site in self.notify_sites:
            self.start_notifier(site)
        await asyncio.gather(self.inject_faults(), *(self.run_client(number) for number in range(3)))
        return await self._come_to_rest()

    async def _come_to_rest(self) -> float:
        self.network.fault_rate = 0
        for server in (self.store_server, self.queue_server, self.sink_server):
            server.refuses = server.is_silent = False
        for site in (*self.task_sites, *self.notify_sites):
            self._restart(site)
        self._note("no more faults")
        begun = self._loop.time()
        while self._loop.time() - begun < REST_SECONDS:
            await asyncio.sleep(0.5)
            if self.is_at_rest():
                return self._loop.time() - begun
        return REST_SECONDS

    def is_at_rest(self) -> bool:
        (unfinished,) = self.connection.execute(
            "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM tasks WHERE to_remind_of IS NOT NULL)"
        ).fetchone()
        stream = self.redis.data.get(queue.EVENTS.encode())
        if unfinished or stream is None or queue.GROUP.encode() not in stream.groups:
            return not unfinished and not self.published
        group = stream.groups[queue.GROUP.encode()]
        return not group.pending and not any(number > group.last for number in stream.entries)
