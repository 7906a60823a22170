"""Runs the notification service: `python -m notify_svc`.

The service starts without its dependencies. It is not ready until Redis is available, and confirms events once the task
service is available.
"""

from contextlib import closing

import uvloop

from chassis import gc_tuning, log
from chassis.background_jobs import background
from chassis.grpc_api.server import until_stopped
from chassis.metrics import LoopMetrics, new_registry, serve_metrics
from chassis.settings import load
from chassis.tracing import Tracing
from notify_svc.composition import open_notifier
from notify_svc.settings import NotifySettings


async def main(settings: NotifySettings) -> None:
    """Run the service until it receives SIGTERM or SIGINT."""
    log.configure("notify_svc", settings.log_level, settings.log_format)
    registry = new_registry()
    with closing(Tracing("notify_svc", settings.otlp_endpoint)) as tracing:
        async with until_stopped() as stopped, open_notifier(settings, registry, tracing.tracer) as notifier:
            with serve_metrics(registry, settings.metrics_host, settings.metrics_port):
                jobs = {**notifier.jobs(), "measure-loop": LoopMetrics(registry).run}
                async with background(jobs, registry), notifier.grpc_server().serving():
                    gc_tuning.freeze()
                    await stopped.wait()


if __name__ == "__main__":
    uvloop.run(main(load(NotifySettings)))
