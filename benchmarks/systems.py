"""The systems that `make bench` compares: each runs as processes of its own, with its data in a folder."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from benchmarks.running import Running, Start, started
from tests.faults.harness.system import System, system
from tests.support.eventually import eventually
from tests.support.ports import accepts_connections, free_port
from tests.support.valkey import Valkey


@contextmanager
def production(directory: Path) -> Iterator[System]:
    """Yield a mesh with the settings of the containers. Its logs go to files."""
    with system(directory, intervals={}, ENVIRONMENT="production", PYTHONUNBUFFERED="1") as running:
        yield running


@asynccontextmanager
async def mesh(directory: Path) -> AsyncIterator[Running]:
    """Run the mesh, one process per service."""
    with production(directory) as running:
        await running.start()
        services = {each.module: each.pid for each in (running.edge, running.task, running.notify)}
        yield Running("mesh", running.edge_port, {**services, "valkey": running.valkey.pid})


@asynccontextmanager
async def monolith_same(directory: Path) -> AsyncIterator[Running]:
    """Run the services of the mesh in one process, as `make dev-mono` does."""
    with production(directory) as running:
        await asyncio.to_thread(running.valkey.start)
        running.edge.module = "scripts.dev_mono"
        running.edge.start()
        await running.ready()
        yield Running("monolith-same", running.edge_port, {"monolith": running.edge.pid, "valkey": running.valkey.pid})


@asynccontextmanager
async def bare_hop(_directory: Path) -> AsyncIterator[Running]:
    """Run `peers.bare_hop`."""
    edge, service = free_port(), free_port()
    async with _python("bare_hop", "service", service) as of_service, _python("bare_hop", "edge", edge, service) as pid:
        yield Running("bare-hop", edge, {"edge": pid, "service": of_service}, ("get",))


@asynccontextmanager
async def monolith_minimal(directory: Path) -> AsyncIterator[Running]:
    """Run `peers.monolith_minimal`."""
    port = free_port()
    with _valkey(directory) as valkey:
        async with _python("monolith_minimal", port, directory / "tasks.db", valkey.url) as pid:
            yield Running("monolith-minimal", port, {"monolith": pid, "valkey": valkey.pid})


@asynccontextmanager
async def rest_hop(directory: Path) -> AsyncIterator[Running]:
    """Run `peers.rest_hop` in front of `peers.monolith_minimal`."""
    edge = free_port()
    async with monolith_minimal(directory) as service, _python("rest_hop", edge, service.port) as pid:
        yield Running("rest-hop", edge, {"edge": pid, **service.pids})


SYSTEMS: Mapping[str, Start] = {
    "mesh": mesh,
    "bare-hop": bare_hop,
    "monolith-same": monolith_same,
    "monolith-minimal": monolith_minimal,
    "rest-hop": rest_hop,
}


@contextmanager
def _valkey(directory: Path) -> Iterator[Valkey]:
    server = Valkey(directory)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@asynccontextmanager
async def _python(peer: str, *arguments: object) -> AsyncIterator[int]:
    """Run a peer, whose first number is its port, and yield its process id when it accepts connections."""
    command = [sys.executable, "-m", f"benchmarks.peers.{peer}", *map(str, arguments)]
    with started(command) as process:
        port = next(each for each in arguments if isinstance(each, int))
        await eventually(lambda: accepts_connections(port))
        yield process.pid
