"""The probe as a service, built like the real ones: `python -m tests.support.chassis.probe_service`."""

import asyncio

from pydantic_settings import SettingsConfigDict

from chassis import log
from chassis.grpc_api.client import ClientMetrics
from chassis.grpc_api.server import MeshServer, until_stopped
from chassis.metrics import new_registry, serve_metrics
from chassis.settings import GrpcSettings, load
from chassis.tracing import Tracing
from tests.support.chassis.mesh import always_ready
from tests.support.chassis.probe import SERVICE, Context, Probe

ACT_KEY = "probe-act"


class ProbeSettings(GrpcSettings):
    """The settings of the probe, with the prefix PROBE_."""

    model_config = SettingsConfigDict(env_prefix="PROBE_")


async def act_as_requested(context: Context) -> None:
    """Do what the caller's metadata requests: `crash`, `wait SECONDS`, or nothing."""
    metadata = {key: str(value) for key, value in context.invocation_metadata() or ()}
    match metadata.get(ACT_KEY, "").split():
        case ["crash"]:
            raise RuntimeError('a "quoted"\n\x1b[31mred\x1b[0m error')
        case ["wait", seconds]:
            await asyncio.sleep(float(seconds))


async def main(settings: ProbeSettings) -> None:
    """Run the service until SIGTERM or SIGINT."""
    log.configure("probe", settings.log_level, settings.log_format)
    tracing = Tracing("probe", settings.otlp_endpoint)
    registry = new_registry()
    ClientMetrics(registry)
    async with until_stopped() as stopped:
        server = MeshServer(settings, registry, tracing.tracer, services=(SERVICE,), ready=always_ready)
        Probe(act_as_requested).add_to(server.grpc)
        with serve_metrics(registry, settings.metrics_host, settings.metrics_port):
            async with server.serving():
                await stopped.wait()
    tracing.close()


if __name__ == "__main__":
    asyncio.run(main(load(ProbeSettings)))
