"""The composition root of the edge: `python -m edge_api`."""

import uvloop

from chassis import log
from chassis.client import Calls
from chassis.identity import MeshTokens
from chassis.metrics import ClientMetrics, new_registry, serve_metrics
from chassis.settings import load
from chassis.tracing import Tracing
from edge_api import app, server
from edge_api.health import Draining
from edge_api.settings import EdgeSettings
from edge_api.upstreams import open_upstreams


async def main(settings: EdgeSettings) -> None:
    """Runs the edge with these settings until SIGTERM or SIGINT."""
    log.configure("edge_api", settings.log_level, settings.log_format)
    tokens = MeshTokens.read(settings.mesh_token_file)
    registry = new_registry()
    tracing = Tracing("edge_api", settings.otlp_endpoint)
    draining = Draining()
    calls = Calls(ClientMetrics(registry), tracing.tracer, tokens, settings.call_timeout_seconds)
    try:
        with (
            server.bind(settings.host, settings.port) as listener,
            serve_metrics(registry, settings.metrics_host, settings.metrics_port),
        ):
            async with open_upstreams(settings.task_target, settings.notify_target, calls) as upstreams:
                application = app.build(settings, tokens, upstreams, draining, registry, tracing.tracer)
                await server.serve(application, listener, settings, draining)
    finally:
        tracing.close()


if __name__ == "__main__":
    uvloop.run(main(load(EdgeSettings)))
