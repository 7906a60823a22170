"""A monitored mesh: the services and Redis as processes, generated load, and Prometheus."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.drill.local import LocalInjector
from scripts.load import Load, Options
from tests.faults.harness.system import TOKEN, System, system
from tests.support.stack.prometheus import Prometheus, prometheus
from tests.support.stack.samples import samples

_JOBS = {"edge-api": "edge_api", "task-svc": "task_svc", "notify-svc": "notify_svc"}
_RATE, _LONGEST_SECONDS = 15, 600


@dataclass
class Watched:
    """The running mesh, its Prometheus, and the fault injector."""

    mesh: System
    prometheus: Prometheus
    injector: LocalInjector


@asynccontextmanager
async def watched(folder: Path, *, speedup: int = 1, spans: str = "") -> AsyncIterator[Watched]:
    """Run the mesh while the block runs; `speedup` is an option of Prometheus, `spans` the OTLP endpoint."""
    async with AsyncExitStack() as stack:
        mesh = stack.enter_context(system(folder / "mesh", OTEL_EXPORTER_OTLP_ENDPOINT=spans))
        targets = {job: mesh.metrics_ports[module] for job, module in _JOBS.items()}
        targets |= stack.enter_context(samples())
        server = stack.enter_context(prometheus(folder / "prometheus", targets, speedup=speedup))
        await mesh.start()  # after Prometheus, which waits five seconds before its first scrape
        yield Watched(mesh, server, LocalInjector(mesh.store, mesh.valkey.url, mesh.notify.pid))


@asynccontextmanager
async def load(mesh: System) -> AsyncIterator[None]:
    """Send requests to the mesh while the block runs."""
    generated = Load(Options(mesh.edge_url, {"X-Mesh-Token": TOKEN}, rate=_RATE, seconds=_LONGEST_SECONDS))
    working = threading.Thread(target=generated.run)
    working.start()
    try:
        yield
    finally:
        generated.stop.set()
        await asyncio.to_thread(working.join)
