"""The composition root of the edge: `python -m edge_api`."""

import uvloop

from chassis import gc_tuning, log
from chassis.background_jobs import background
from chassis.feed.feed import FeedLimits
from chassis.feed.metrics import FeedMetrics
from chassis.grpc_api.client import ClientInterceptor, ClientMetrics, OpenChannel, open_channel
from chassis.identity import MeshTokens
from chassis.metrics import LoopMetrics, new_registry, serve_metrics
from chassis.settings import load
from chassis.tracing import Tracing
from edge_api import app, server
from edge_api.routes.health import Draining
from edge_api.settings import EdgeSettings
from edge_api.sse.live import Live
from edge_api.upstreams import open_upstreams


async def main(settings: EdgeSettings) -> None:
    """Run the edge with these settings until SIGTERM or SIGINT."""
    log.configure("edge_api", settings.log_level, settings.log_format)
    await serve(settings)


async def serve(settings: EdgeSettings, open_channel: OpenChannel = open_channel) -> None:
    """Build the edge and run it until SIGTERM or SIGINT."""
    tokens = MeshTokens.read(settings.mesh_token_file)
    server.raise_file_limit(settings.max_connections)
    registry = new_registry()
    tracing = Tracing("edge_api", settings.otlp_endpoint)
    draining = Draining()
    calls = ClientInterceptor(ClientMetrics(registry), tracing.tracer, tokens, settings.call_timeout_seconds)
    try:
        with (
            server.bind(settings.host, settings.port) as listener,
            serve_metrics(registry, settings.metrics_host, settings.metrics_port),
        ):
            async with open_upstreams(settings.task_target, settings.notify_target, calls, open_channel) as upstreams:
                live = Live(upstreams, calls, FeedMetrics(registry), _feed_limits(settings))
                application = app.build(settings, tokens, upstreams, live, draining, registry, tracing.tracer)
                jobs = {**live.jobs(), "measure-loop": LoopMetrics(registry).run}
                async with background(jobs, registry):
                    gc_tuning.freeze()
                    await server.serve(application, listener, settings, draining, live.end)
    finally:
        tracing.close()


def _feed_limits(settings: EdgeSettings) -> FeedLimits:
    return FeedLimits(watchers=settings.max_watchers, watchers_of_one=settings.max_watchers_per_user)


if __name__ == "__main__":
    uvloop.run(main(load(EdgeSettings)))
