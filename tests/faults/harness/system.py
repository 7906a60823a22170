"""The whole mesh as separate processes that can be started, stopped and killed individually.

The programs and settings are those of `make dev`, with a mesh token, so that a test can act as several users.
"""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import pymongo
from grpc_health.v1 import health_pb2
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from task_svc.outbox import Slot
from tests import ROOT
from tests.support.chassis.standard_services import health_of
from tests.support.eventually import eventually
from tests.support.ports import free_port
from tests.support.task_svc.mongo import Nx27017
from tests.support.valkey import Valkey

TOKEN = "the-token-of-this-test-run-and-of-no-other"
SPARE_CONNECTIONS = 4
"""The additional connections that a process may have while streams use connections past their maximum age."""

SHORT_INTERVALS = {
    "TASK_SWEEP_SECONDS": "0.5",
    "TASK_FIRST_LOOK_SECONDS": "2",
    "TASK_LONGEST_LOOK_SECONDS": "4",
    "NOTIFY_CLAIM_IDLE_SECONDS": "2",
    "NOTIFY_DELIVERY_LEASE_SECONDS": "2",
    "NOTIFY_DELIVERY_TIMEOUT_SECONDS": "1",
}
"""Shorter than the defaults, so that tests wait less."""

_TASK, _NOTIFY, _EDGE = "task_svc", "notify_svc", "edge_api"
_PREFIXES = {_TASK: "TASK", _NOTIFY: "NOTIFY", _EDGE: "EDGE"}
_SERVICES = {_TASK: "task.v1.TaskService", _NOTIFY: "notify.v1.NotificationService"}


class Process:
    """A process of one service. Its log file is kept across restarts."""

    def __init__(self, module: str, environment: dict[str, str], log: Path) -> None:
        self.module = module
        self._service = module  # unchanged when a test runs another module as this service
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, **more: str) -> None:
        """Start the process, with `more` in its environment."""
        environment = {"PATH": os.environ["PATH"], **self._environment, **more}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module], cwd=ROOT, env=environment, stdout=log, stderr=log
            )

    @property
    def pid(self) -> int:
        """The process ID."""
        assert self._process is not None
        return self._process.pid

    @property
    def port(self) -> int:
        """The port of its gRPC server."""
        return int(self._environment[f"{_PREFIXES[self._service]}_GRPC_PORT"])

    async def metrics(self, **labels: str) -> dict[str, float]:
        """Return the samples on its /metrics page with these labels, summed over all other labels."""
        async with httpx.AsyncClient() as client:
            port = self._environment[f"{_PREFIXES[self._service]}_METRICS_PORT"]
            page = await client.get(f"http://127.0.0.1:{port}/metrics", timeout=5)
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(page.text):
            for sample in family.samples:
                if labels.items() <= sample.labels.items():
                    sums[sample.name] = sums.get(sample.name, 0) + sample.value
        return sums

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kill the process with SIGKILL."""
        self.send(signal.SIGKILL)
        self.wait()

    def wait(self, within: float = 20) -> int:
        """Wait until the process exits and return its exit status."""
        assert self._process is not None
        status = self._process.wait(within)
        self._process = None
        return status

    def close(self) -> None:
        """Kill the process if it is running."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def output(self) -> str:
        """Return everything that the process has written."""
        return self._log.read_text() if self._log.exists() else ""

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return its log lines of one event."""
        found = []
        for line in self.output().splitlines():
            if line.startswith("{") and f'"event":"{event}"' in line:
                found.append(json.loads(line))
        return found


class System:
    """Valkey and the three services. With `mongo`, it stores the tasks, and both gRPC services can have replicas.

    `another_edge` uses the same services. It is not started by `start`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        mongo: Nx27017 | None = None,
        replicas: int = 1,
        intervals: Mapping[str, str] = SHORT_INTERVALS,
        **settings: str,
    ) -> None:
        directory.mkdir(exist_ok=True)
        (directory / "valkey").mkdir()
        self.mongo = mongo
        self.store = directory / "tasks.db"
        token_file = directory / "token"
        token_file.write_text(TOKEN)
        self.valkey = Valkey(directory / "valkey")
        self.metrics_ports = {module: free_port() for module in (_TASK, _NOTIFY, _EDGE)}
        task_port, notify_port, edge_port = (free_port() for _ in range(3))
        self.edge_port = edge_port
        self.edge_url = f"http://127.0.0.1:{edge_port}"
        self.task_target = f"127.0.0.1:{task_port}"
        self.notify_target = f"127.0.0.1:{notify_port}"
        environment = {
            "MESH_TOKEN_FILE": str(token_file),
            "LOG_FORMAT": "json",
            "REDIS_URL": self.valkey.url,
            "TASK_GRPC_TARGET": self.task_target,
            "NOTIFY_GRPC_TARGET": self.notify_target,
            "TASK_GRPC_PORT": str(task_port),
            "NOTIFY_GRPC_PORT": str(notify_port),
            "EDGE_PORT": str(edge_port),
            "TASK_METRICS_PORT": str(self.metrics_ports[_TASK]),
            "NOTIFY_METRICS_PORT": str(self.metrics_ports[_NOTIFY]),
            "EDGE_METRICS_PORT": str(self.metrics_ports[_EDGE]),
            "TASK_STORE_URL": f"sqlite:///{self.store}",
            **intervals,
            **settings,
        }
        if mongo is not None:
            environment |= {"TASK_STORE_URL": mongo.url("tasks"), **settings}
        ports = [(task_port, notify_port), *((free_port(), free_port()) for _ in range(replicas - 1))]
        if replicas > 1:
            environment["TASK_GRPC_TARGET"], environment["NOTIFY_GRPC_TARGET"] = map(_all_of, zip(*ports, strict=True))

        def replica(module: str, number: int) -> Process:
            own = {"TASK_GRPC_PORT": str(ports[number][0]), "NOTIFY_GRPC_PORT": str(ports[number][1])}
            if number > 0:
                own |= {"TASK_METRICS_PORT": str(free_port()), "NOTIFY_METRICS_PORT": str(free_port())}
            return Process(module, environment | own, directory / f"{module}.log")

        self.task_replicas = [replica(_TASK, number) for number in range(replicas)]
        self.notify_replicas = [replica(_NOTIFY, number) for number in range(replicas)]
        self.task, self.notify = self.task_replicas[0], self.notify_replicas[0]
        self.edge = Process(_EDGE, environment, directory / f"{_EDGE}.log")
        self.another_edge_url = f"http://127.0.0.1:{(another_port := free_port())}"
        own = {"EDGE_PORT": str(another_port), "EDGE_METRICS_PORT": str(free_port())}
        self.another_edge = Process(_EDGE, environment | own, directory / f"another_{_EDGE}.log")

    async def start(self) -> None:
        """Start everything and wait until the edge is ready."""
        await asyncio.to_thread(self.valkey.start)
        if self.mongo is not None:
            await asyncio.to_thread(self.mongo.start)
        for process in (*self.task_replicas, *self.notify_replicas, self.edge):
            process.start()
        await self.ready()

    async def ready(self, edge_url: str = "") -> None:
        """Wait until the edge, or the one at `edge_url`, reports that both services are SERVING."""

        async def is_ready() -> bool:
            async with httpx.AsyncClient(base_url=edge_url or self.edge_url) as client:
                try:
                    readiness = (await client.get("/readyz", timeout=2)).json()
                except (httpx.HTTPError, ValueError):
                    return False
            return set(readiness.get("services", {}).values()) == {"SERVING"}

        await eventually(is_ready, within=30)

    async def task_serves(self) -> None:
        """Wait until the health check of the task service is SERVING."""
        await self.serves(self.task)

    async def serves(self, replica: Process) -> None:
        """Wait until the health check of this replica is SERVING."""
        async with grpc.aio.insecure_channel(f"127.0.0.1:{replica.port}") as channel:
            request = health_pb2.HealthCheckRequest(service=_SERVICES[replica.module])
            check = health_of(channel).Check

            async def serves() -> bool:
                response = await check(request, timeout=20, wait_for_ready=True)
                return bool(response.status == health_pb2.HealthCheckResponse.SERVING)

            await eventually(serves, within=20)

    async def is_called(self, replica: Process) -> None:
        """Wait until this replica has handled a call from another part of the mesh."""

        async def is_called() -> bool:
            calls = await replica.metrics(grpc_service=_SERVICES[replica.module])
            return calls.get("grpc_server_handled_total", 0) > 0

        await eventually(is_called, within=20)

    def close(self) -> None:
        """Kill every process."""
        for process in (self.another_edge, self.edge, *self.notify_replicas, *self.task_replicas):
            process.close()
        self.valkey.kill()
        if self.mongo is not None:
            self.mongo.kill()

    def outbox(self) -> int:
        """Return the number of outbox entries, published or not."""
        if self.mongo is not None:
            return _outbox_in(self.mongo)
        connection = sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)
        with closing(connection):
            (count,) = connection.execute("SELECT count(*) FROM outbox").fetchone()
        return int(count)

    async def queue_is_drained(self) -> bool:
        """Return whether all entries of the stream were read and acknowledged."""
        async with Redis.from_url(self.valkey.url, socket_timeout=5) as redis:
            groups: Any = await redis.xinfo_groups("task-events")
        return [(group["pending"], group["lag"]) for group in groups] == [(0, 0)]

    async def metrics(self, module: str) -> dict[str, float]:
        """Return the metrics of a service, or of its first replica."""
        return await {_TASK: self.task, _NOTIFY: self.notify, _EDGE: self.edge}[module].metrics()


def _all_of(ports: Iterable[int]) -> str:
    """Return a gRPC target with several addresses."""
    return f"ipv4:{','.join(f'127.0.0.1:{port}' for port in ports)}"


def _outbox_in(mongo: Nx27017) -> int:
    events = 0
    with pymongo.MongoClient[dict[str, Any]](mongo.url("tasks")) as client:
        for slot in Slot:
            of_slot = {"$match": {f"outbox.{slot}.look_at": {"$gte": 0}}}
            counted = client["tasks"]["tasks"].aggregate([of_slot, {"$group": {"_id": None, "events": {"$sum": 1}}}])
            events += sum(found["events"] for found in counted)
    return events


@contextmanager
def system(
    directory: Path,
    *,
    mongo: Nx27017 | None = None,
    replicas: int = 1,
    intervals: Mapping[str, str] = SHORT_INTERVALS,
    **settings: str,
) -> Iterator[System]:
    """Yield a mesh, and kill its processes when the block ends."""
    running = System(directory, mongo=mongo, replicas=replicas, intervals=intervals, **settings)
    try:
        yield running
    finally:
        running.close()


def as_user(user: str) -> dict[str, str]:
    """Return the headers with which the edge accepts a request as one of this user."""
    return {"X-Consumer-Username": user, "X-Mesh-Token": TOKEN}


def now() -> float:
    """Return the monotonic time of histories, in seconds."""
    return time.monotonic()
