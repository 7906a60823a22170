"""A mesh that is watched: the services and their queue as processes, people at work, and Prometheus looking on."""

import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.drill.local import LocalHands
from scripts.load import Load, Options
from tests.faults.harness.system import TOKEN, System, system
from tests.support.stack.prometheus import Prometheus, prometheus
from tests.support.stack.samples import samples

_JOBS = {"edge-api": "edge_api", "task-svc": "task_svc", "notify-svc": "notify_svc"}
_RATE, _LONGEST_SECONDS = 15, 600


@dataclass
class Watched:
    """What there is to drive, and to ask."""

    mesh: System
    prometheus: Prometheus
    injector: LocalHands


@asynccontextmanager
async def watched(folder: Path, *, sooner: int = 1, spans: str = "") -> AsyncIterator[Watched]:
    """All of it started, with requests that go on until the block ends; `sooner` is Prometheus's, `spans` where the
    services send theirs."""
    async with AsyncExitStack() as stack:
        mesh = stack.enter_context(system(folder / "mesh", OTEL_EXPORTER_OTLP_ENDPOINT=spans))
        await mesh.start()
        targets = {job: mesh.metrics_ports[module] for job, module in _JOBS.items()}
        targets |= stack.enter_context(samples())
        server = stack.enter_context(prometheus(folder / "prometheus", targets, sooner=sooner))
        load = Load(Options(mesh.edge_url, {"X-Mesh-Token": TOKEN}, rate=_RATE, seconds=_LONGEST_SECONDS))
        working = threading.Thread(target=load.run)
        working.start()
        stack.callback(working.join)
        stack.callback(load.stop)
        yield Watched(mesh, server, LocalHands(mesh.store, mesh.valkey.url, mesh.notify.pid))
