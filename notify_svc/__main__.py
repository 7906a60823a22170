"""The composition root of the notification service: `python -m notify_svc`.

Nothing it needs has to be there when it starts: it waits, not ready, until Redis answers, and confirms what is settled
when the task service does.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import grpc
import uvloop
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from task.v1 import events_pb2_grpc, task_pb2_grpc

from chassis import gc_tuning, log
from chassis.background_jobs import background, spread
from chassis.feed.feed import Feed
from chassis.feed.metrics import FeedMetrics
from chassis.grpc_api import client
from chassis.grpc_api.client import ClientMetrics
from chassis.grpc_api.server import until_stopped
from chassis.identity import MeshTokens
from chassis.loop_metrics import LoopMetrics
from chassis.metrics import new_registry, serve_metrics
from chassis.settings import load
from chassis.tracing import Tracing
from notify_svc.composition import Notifier
from notify_svc.delivery import channel_file
from notify_svc.delivery.apprise_channel import AppriseChannel
from notify_svc.delivery.channel import Channel
from notify_svc.delivery.console import Console
from notify_svc.grpc_api import server as grpc_server
from notify_svc.metrics import NotifyMetrics
from notify_svc.settings import NotifySettings
from notify_svc.storage import redis_keys

RETRIED = {"task.v1.TaskEventsService": ("ConfirmEvents",), "task.v1.TaskService": ("GetTask",)}
_COMMAND_SECONDS = 2.0
_READ_SECONDS = 4.0


async def main(settings: NotifySettings) -> None:
    """Runs the service until it is told to stop."""
    log.configure("notify_svc", settings.log_level, settings.log_format)
    registry = new_registry()
    with closing(Tracing("notify_svc", settings.otlp_endpoint)) as tracing:
        async with (
            until_stopped() as stopped,
            _redis(settings) as (redis, reader),
            _tasks(settings, registry, tracing) as channel,
        ):
            notifier = Notifier(
                settings,
                _channels(settings),
                redis,
                reader,
                events_pb2_grpc.TaskEventsServiceStub(channel),
                task_pb2_grpc.TaskServiceStub(channel),
                tracer=tracing.tracer,
                metrics=NotifyMetrics(registry),
                feed=Feed(FeedMetrics(registry).of("notifications")),
                now_ms=_now_ms,
                jitter=spread,
            )
            server = grpc_server.build(settings, registry, tracing.tracer, notifier)
            with serve_metrics(registry, settings.metrics_host, settings.metrics_port):
                jobs = {**notifier.jobs(), "measure-loop": LoopMetrics(registry).run}
                async with background(jobs, registry), server.serving():
                    gc_tuning.freeze()
                    await stopped.wait()


def _channels(settings: NotifySettings) -> list[Channel]:
    configured = channel_file.read(settings.channels_file, is_development=settings.environment == "development")
    outside = (AppriseChannel(each, settings.delivery_timeout_seconds) for each in configured)
    return [Console(), *outside]


@asynccontextmanager
async def _redis(settings: NotifySettings) -> AsyncIterator[tuple[Redis, Redis]]:
    url, password = settings.redis_url, settings.redis_password
    async with (
        redis_keys.connect(url, password, timeout_seconds=_COMMAND_SECONDS, retries=1) as redis,
        # A read is never repeated unseen: what its lost answer held waits among the consumer's own pending entries.
        redis_keys.connect(url, password, timeout_seconds=_READ_SECONDS, retries=0) as reader,
    ):
        yield redis, reader


def _tasks(settings: NotifySettings, registry: CollectorRegistry, tracing: Tracing) -> grpc.aio.Channel:
    tokens = MeshTokens.read(settings.mesh_token_file)
    calls = client.ClientInterceptor(ClientMetrics(registry), tracing.tracer, tokens, settings.default_deadline_seconds)
    return client.open_channel(settings.task_grpc_target, client.service_config(RETRIED, package="task.v1"), calls)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    uvloop.run(main(load(NotifySettings)))
