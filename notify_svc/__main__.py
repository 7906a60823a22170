"""The composition root of the notification service: `python -m notify_svc`.

Nothing it needs has to be there when it starts: it waits, not ready, until Redis answers, and confirms what is settled
when the task service does.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import grpc
import uvloop
from notify.v1 import dead_letters_pb2_grpc, events_pb2_grpc, notify_pb2_grpc
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from task.v1 import events_pb2_grpc as task_events_pb2_grpc
from task.v1 import task_pb2_grpc

from chassis import client, log
from chassis.feed import Feed
from chassis.feed_metrics import FeedMetrics
from chassis.identity import MeshTokens
from chassis.metrics import ClientMetrics, new_registry, serve_metrics
from chassis.server import MeshServer, until_stopped
from chassis.settings import load
from chassis.supervise import background
from chassis.tracing import Tracing
from notify_svc import channel_file, store
from notify_svc.apprise_channel import AppriseChannel
from notify_svc.channels import Channel
from notify_svc.console import Console
from notify_svc.dead_letter_servicer import DeadLetterServicer
from notify_svc.metrics import NotifyMetrics
from notify_svc.notifier import Notifier
from notify_svc.servicer import NotificationEventsServicer, NotificationServicer
from notify_svc.settings import NotifySettings

NOTIFICATION_SERVICE = "notify.v1.NotificationService"
NOTIFICATION_EVENTS_SERVICE = "notify.v1.NotificationEventsService"
DEAD_LETTER_SERVICE = "notify.v1.DeadLetterService"
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
                task_events_pb2_grpc.TaskEventsServiceStub(channel),
                task_pb2_grpc.TaskServiceStub(channel),
                tracer=tracing.tracer,
                metrics=NotifyMetrics(registry),
                feed=Feed(FeedMetrics(registry).of("notifications")),
                now_ms=_now_ms,
            )
            server = _server(settings, registry, tracing, notifier)
            with serve_metrics(registry, settings.metrics_host, settings.metrics_port):
                async with background(notifier.jobs(), registry), server.serving():
                    await stopped.wait()


def _server(settings: NotifySettings, registry: CollectorRegistry, tracing: Tracing, notifier: Notifier) -> MeshServer:
    server = MeshServer(
        settings,
        registry,
        tracing.tracer,
        services=(NOTIFICATION_SERVICE, NOTIFICATION_EVENTS_SERVICE, DEAD_LETTER_SERVICE),
        userless=(NOTIFICATION_EVENTS_SERVICE, DEAD_LETTER_SERVICE),
        ready=notifier.check_ready,
    )
    servicer = NotificationServicer(notifier.inbox, notifier.feed)
    notify_pb2_grpc.add_NotificationServiceServicer_to_server(servicer, server.grpc)
    events = NotificationEventsServicer(notifier.feed)
    events_pb2_grpc.add_NotificationEventsServiceServicer_to_server(events, server.grpc)
    dead_letter_servicer = DeadLetterServicer(notifier.triage)
    dead_letters_pb2_grpc.add_DeadLetterServiceServicer_to_server(dead_letter_servicer, server.grpc)
    return server


def _channels(settings: NotifySettings) -> list[Channel]:
    configured = channel_file.read(settings.channels_file, is_development=settings.environment == "development")
    outside = (AppriseChannel(each, settings.delivery_timeout_seconds) for each in configured)
    return [Console(), *outside]


@asynccontextmanager
async def _redis(settings: NotifySettings) -> AsyncIterator[tuple[Redis, Redis]]:
    url, password = settings.redis_url, settings.redis_password
    async with (
        store.connect(url, password, timeout_seconds=_COMMAND_SECONDS, retries=1) as redis,
        # A read is never repeated unseen: what its lost answer held waits among the consumer's own pending entries.
        store.connect(url, password, timeout_seconds=_READ_SECONDS, retries=0) as reader,
    ):
        yield redis, reader


def _tasks(settings: NotifySettings, registry: CollectorRegistry, tracing: Tracing) -> grpc.aio.Channel:
    tokens = MeshTokens.read(settings.mesh_token_file)
    calls = client.Calls(ClientMetrics(registry), tracing.tracer, tokens, settings.default_deadline_seconds)
    return client.open_channel(settings.task_grpc_target, client.service_config(RETRIED), calls)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    uvloop.run(main(load(NotifySettings)))
