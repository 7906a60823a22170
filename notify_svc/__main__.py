"""Runs the notification service: `python -m notify_svc`.

The service starts without its dependencies. It is not ready until Redis is available, and confirms events once the task
service is available.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import grpc
import uvloop

from chassis import gc_tuning, log
from chassis.background_jobs import background
from chassis.grpc_api.client import OpenChannel, open_channel
from chassis.grpc_api.server import MakeServer, until_stopped
from chassis.metrics import LoopMetrics, new_registry, serve_metrics
from chassis.settings import load
from chassis.tracing import Tracing
from notify_svc.composition import open_notifier
from notify_svc.settings import NotifySettings


async def main(settings: NotifySettings) -> None:
    """Run the service until it receives SIGTERM or SIGINT."""
    log.configure("notify_svc", settings.log_level, settings.log_format)
    async with until_stopped() as stopped, serving(settings):
        gc_tuning.freeze()
        await stopped.wait()


@asynccontextmanager
async def serving(
    settings: NotifySettings, make_server: MakeServer = grpc.aio.server, open_channel: OpenChannel = open_channel
) -> AsyncIterator[None]:
    """Build the service and run it until the block ends."""
    registry = new_registry()
    with closing(Tracing("notify_svc", settings.otlp_endpoint)) as tracing:
        async with open_notifier(settings, registry, tracing.tracer, open_channel=open_channel) as notifier:
            with serve_metrics(registry, settings.metrics_host, settings.metrics_port):
                jobs = {**notifier.jobs(), "measure-loop": LoopMetrics(registry).run}
                async with background(jobs, registry), notifier.grpc_server(make_server).serving():
                    yield


if __name__ == "__main__":
    uvloop.run(main(load(NotifySettings)))
