"""The gRPC server of a service: startup, readiness and drain."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager

import grpc
import structlog
from grpc_health.v1 import health, health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse
from opentelemetry import trace
from prometheus_client import CollectorRegistry, Gauge

from chassis import background_jobs
from chassis.grpc_api import reflection
from chassis.grpc_api.auth import HEALTH, Authenticate
from chassis.grpc_api.channel_options import SERVER_OPTIONS
from chassis.grpc_api.deadlines import Deadlines
from chassis.grpc_api.error_mapping import map_errors
from chassis.grpc_api.interceptor import InterceptorChain
from chassis.grpc_api.telemetry import ServerMetrics, Telemetry
from chassis.identity import MeshTokens
from chassis.settings import GrpcSettings

_log = structlog.get_logger("server")

_READINESS_INTERVAL = 1.0
_READINESS_TIMEOUT = 2.0
_CLIENT_NOTICE_SECONDS = 0.5  # in which clients that watch the health of the package move their calls to other replicas

ReadinessCheck = Callable[[], Awaitable[None]]
MakeServer = Callable[..., grpc.aio.Server]
"""`grpc.aio.server`, or a function that takes the same arguments."""


class MeshServer:
    """A gRPC server with the interceptors of all services, the standard health service, and reflection.

    `services` are the full names of the services that you add to `grpc`. Calls to those in `userless` need no user.
    `ready` is called about once a second, and raises an error while the service is not ready.
    """

    def __init__(
        self,
        settings: GrpcSettings,
        registry: CollectorRegistry,
        tracer: trace.Tracer,
        *,
        services: Collection[str],
        userless: Collection[str] = (),
        ready: ReadinessCheck,
        make_server: MakeServer = grpc.aio.server,
    ) -> None:
        self._settings = settings
        self._services = services
        self._ready = ready
        self._metrics = ServerMetrics(registry, services)
        self._readiness = Gauge(
            "grpc_service_ready", "1 while the service is ready, else 0.", ["grpc_service"], registry=registry
        )
        self._interceptors = InterceptorChain(
            (
                Telemetry(tracer),
                self._metrics,
                map_errors,
                Authenticate(MeshTokens.read(settings.mesh_token_file), userless),
                Deadlines(settings.default_deadline_seconds),
            ),
            self._metrics,
        )
        self.grpc = make_server(interceptors=(self._interceptors,), options=SERVER_OPTIONS)
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.grpc)
        if settings.grpc_reflection:
            reflection.serve(self.grpc, (*services, HEALTH))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serve until the block ends, then drain: finish the calls in flight, as far as `drain_seconds` allows.

        Exits with status 1 and a message if the port is not available.
        """
        host = self._settings.grpc_host
        address = f"{f'[{host}]' if ':' in host else host}:{self._settings.grpc_port}"
        await self._set_ready(False)
        # The health of the package is liveness: it changes only just before the server stops.
        for package in {service.rpartition(".")[0] for service in self._services}:
            await self._health.set(package, HealthCheckResponse.SERVING)
        try:
            self.grpc.add_insecure_port(address)
        except RuntimeError:
            sys.exit(f"cannot listen on {address}: is another process using the port?")
        await self.grpc.start()
        _log.info("listening", address=address)
        readiness = asyncio.create_task(self._watch_readiness(), name="readiness")
        try:
            yield
        finally:
            await background_jobs.end([readiness])
            await self._drain()

    async def _watch_readiness(self) -> None:
        was_ready: bool | None = None
        while True:
            try:
                async with asyncio.timeout(_READINESS_TIMEOUT):
                    await self._ready()
                is_ready, reason = True, None
            except Exception as error:
                is_ready, reason = False, f"{type(error).__name__}: {error}"
            if is_ready != was_ready:
                await self._set_ready(is_ready)
                if is_ready:
                    _log.info("ready")
                else:
                    _log.warning("not ready", error=reason)
                was_ready = is_ready
            await asyncio.sleep(_READINESS_INTERVAL)

    async def _set_ready(self, is_ready: bool) -> None:
        serving = HealthCheckResponse.SERVING if is_ready else HealthCheckResponse.NOT_SERVING
        for service in self._services:
            self._readiness.labels(service).set(is_ready)
            await self._health.set(service, serving)

    async def _drain(self) -> None:
        """Report not ready at once, and stop serving the clients only just before the stop.

        Readiness is for the platform, which starts a replacement. Clients watch the health of the package. They resolve
        the name again only when a connection ends, so a client that left earlier might know no other replica.
        """
        begun = time.monotonic()
        _log.info("draining")
        notice = self._settings.drain_notice_seconds
        await self._set_ready(False)
        await asyncio.sleep(max(0.0, notice - _CLIENT_NOTICE_SECONDS))
        await self._health.enter_graceful_shutdown()
        await asyncio.sleep(min(notice, _CLIENT_NOTICE_SECONDS))
        self._interceptors.end_streams()
        await self.grpc.stop(self._settings.drain_seconds)
        # stop() does not wait for a handler that still runs after its client has received the response.
        done = await self._interceptors.finished(within=self._settings.drain_seconds)
        _log.info("drained", seconds=round(time.monotonic() - begun, 3), all_finished=done)


@asynccontextmanager
async def until_stopped() -> AsyncIterator[asyncio.Event]:
    """Yield an event that SIGTERM and SIGINT set; a second signal ends the process at once."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop(received: signal.Signals) -> None:
        _log.info("stopping", signal=received.name)
        stopped.set()
        for handled in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(handled)

    for handled in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(handled, stop, handled)
    yield stopped
