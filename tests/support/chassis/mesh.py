"""A MeshServer in the event loop of the test, with the probe as its service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
from prometheus_client import CollectorRegistry

from chassis.grpc_api.auth import HEALTH
from chassis.grpc_api.server import MakeServer, MeshServer, ReadinessCheck
from chassis.settings import GrpcSettings
from chassis.tracing import Tracing
from tests.support.chassis.probe import SERVICE, Act, Probe, do_nothing
from tests.support.ports import free_port

ALICE = (("x-consumer-username", "alice"),)


@dataclass
class Running:
    """A server that listens on `target`, a channel to it from outside the mesh, and its metrics."""

    target: str
    channel: grpc.aio.Channel
    registry: CollectorRegistry

    def outcomes(self, method: str, side: str = "server") -> dict[str, float]:
        """Return how many RPCs of a method of the probe ended with each code."""
        return counted(self.registry, f"grpc_{side}_handled_total", method)

    def in_flight(self) -> float:
        """Return the number of RPCs in flight, of all services."""
        started, handled = (_total(self.registry, f"grpc_server_{name}_total") for name in ("started", "handled"))
        return started - handled


def settings(
    port: int, *, token_file: Path | None = None, default_deadline: float = 5, drain_seconds: float = 2
) -> GrpcSettings:
    """Return settings that do not depend on the environment variables of the test run."""
    return GrpcSettings(
        environment="development",
        grpc_host="127.0.0.1",
        grpc_port=port,
        metrics_port=port,  # not served here
        mesh_token_file=token_file,
        default_deadline_seconds=default_deadline,
        drain_notice_seconds=0,
        drain_seconds=drain_seconds,
    )


async def always_ready() -> None:
    """The readiness check of a service without dependencies."""


@asynccontextmanager
async def mesh_server(
    act: Act = do_nothing,
    *,
    port: int | None = None,
    token_file: Path | None = None,
    default_deadline: float = 5,
    drain_seconds: float = 2,
    userless: bool = True,
    ready: ReadinessCheck = always_ready,
    tracing: Tracing | None = None,
    make_server: MakeServer = grpc.aio.server,
) -> AsyncIterator[Running]:
    """Run a server with the probe; without a token file, it requires no token."""
    registry = CollectorRegistry()
    port = port or free_port()
    server = MeshServer(
        settings(port, token_file=token_file, default_deadline=default_deadline, drain_seconds=drain_seconds),
        registry,
        (tracing or Tracing("probe", None)).tracer,
        services=(SERVICE,),
        userless=(SERVICE,) if userless else (),
        ready=ready,
        make_server=make_server,
    )
    Probe(act).add_to(server.grpc)
    target = f"127.0.0.1:{port}"
    async with server.serving(), grpc.aio.insecure_channel(target) as channel:
        yield Running(target, channel, registry)


def counted(registry: CollectorRegistry, name: str, method: str) -> dict[str, float]:
    """Return the values of one counter for one method of the probe, by code."""
    return {
        sample.labels.get("grpc_code", ""): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == name and sample.labels.get("grpc_method") == method
    }


def _total(registry: CollectorRegistry, name: str) -> float:
    # Without Health.Watch, of which every open channel has one call.
    return sum(
        sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == name and sample.labels.get("grpc_service") != HEALTH
    )
