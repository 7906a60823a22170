"""The composition root: builds all parts of the service and connects them. `__main__` runs it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import grpc
from opentelemetry import trace
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from task.v1 import events_pb2_grpc, task_pb2_grpc

from chassis.background_jobs import Job, jitter
from chassis.errors import Unavailable
from chassis.feed.feed import Feed, FeedLimits
from chassis.feed.metrics import FeedMetrics
from chassis.feed.stream_tail import StreamTail
from chassis.grpc_api import client
from chassis.grpc_api.client import ClientInterceptor, ClientMetrics, OpenChannel
from chassis.grpc_api.server import MakeServer, MeshServer
from chassis.identity import MeshTokens
from notify_svc.delivery import channel_file
from notify_svc.delivery.apprise_channel import AppriseChannel
from notify_svc.delivery.channel import Channel
from notify_svc.delivery.completion import Completion
from notify_svc.delivery.console import Console
from notify_svc.delivery.deliverer import Deliverer, Deliverers, DeliveryRules
from notify_svc.delivery.removed_channels import RemovedChannels
from notify_svc.domain import Backoff, Jitter, NowMs, now_ms
from notify_svc.events.acknowledger import Acknowledger
from notify_svc.events.consumer import Consumer
from notify_svc.events.event_handler import EventHandler
from notify_svc.events.recorder import Recorder
from notify_svc.events.reminders import Reminders
from notify_svc.events.trimmer import Trimmer
from notify_svc.gauges import Gauges
from notify_svc.grpc_api import server, watch
from notify_svc.metrics import NotifyMetrics
from notify_svc.settings import NotifySettings
from notify_svc.storage import redis_client, redis_keys
from notify_svc.storage.dead_letter_admin import DeadLetterAdmin
from notify_svc.storage.dead_letters import DeadLetters
from notify_svc.storage.event_store import EventStore
from notify_svc.storage.inbox import Inbox

RETRIED = {"task.v1.TaskEventsService": ("ConfirmEvents",), "task.v1.TaskService": ("GetTask",)}
_COMMAND_SECONDS = 2.0
_READ_SECONDS = 4.0
_STUCK_SECONDS = 15.0


@asynccontextmanager
async def open_notifier(
    settings: NotifySettings,
    registry: CollectorRegistry,
    tracer: trace.Tracer,
    *,
    channels: Sequence[Channel] | None = None,
    clock: NowMs = now_ms,
    limits: FeedLimits | None = None,
    open_channel: OpenChannel = client.open_channel,
) -> AsyncIterator["Notifier"]:
    """Open the configured connections, even while Redis or the task service is unavailable, and build the service.

    `channels` defaults to the configured channels.
    """
    url, password = settings.redis_url, settings.redis_password
    tokens = MeshTokens.read(settings.mesh_token_file)
    calls = ClientInterceptor(ClientMetrics(registry), tracer, tokens, settings.default_deadline_seconds)
    config = client.service_config(RETRIED, package="task.v1")
    async with (
        redis_client.connect(url, password, timeout_seconds=_COMMAND_SECONDS, retries=1) as redis,
        # Blocking reads are not retried: the entries of a lost response are in the consumer's own pending entries.
        redis_client.connect(url, password, timeout_seconds=_READ_SECONDS, retries=0) as reader,
        open_channel(settings.task_grpc_target, config, calls) as tasks,
    ):
        yield Notifier(
            settings,
            _channels(settings) if channels is None else channels,
            redis,
            reader,
            events_pb2_grpc.TaskEventsServiceStub(tasks),
            task_pb2_grpc.TaskServiceStub(tasks),
            registry=registry,
            tracer=tracer,
            clock=clock,
            limits=limits,
        )


class Notifier:
    """The connected parts: `jobs` run in the background, `grpc_server` serves calls.

    `redis` is for commands, `reader` for blocking reads of the streams.
    """

    def __init__(
        self,
        settings: NotifySettings,
        channels: Sequence[Channel],
        redis: Redis,
        reader: Redis,
        events: "events_pb2_grpc.TaskEventsServiceAsyncStub",
        tasks: "task_pb2_grpc.TaskServiceAsyncStub",
        *,
        registry: CollectorRegistry,
        tracer: trace.Tracer,
        clock: NowMs = now_ms,
        jitter: Jitter = jitter,
        limits: FeedLimits | None = None,
    ) -> None:
        metrics, scripts = NotifyMetrics(registry), redis_client.Scripts(redis)
        names = [channel.name for channel in channels]
        self.redis = redis
        self._settings, self._registry, self._tracer = settings, registry, tracer

        event_store = EventStore(redis, scripts, names, clock)
        dead_letters = DeadLetters(scripts, metrics, clock)
        self._acknowledger = Acknowledger(redis, events, metrics, settings.unconfirmed_limit)
        completion = Completion(event_store, dead_letters, self._acknowledger)
        rules = _delivery_rules(settings, jitter)
        self._deliverers = Deliverers(
            {
                channel.name: Deliverer(
                    channel, rules, event_store, completion, tracer=tracer, metrics=metrics, now_ms=clock
                )
                for channel in channels
            }
        )
        recorder = Recorder(event_store, self._acknowledger, metrics, self._deliverers.wake)
        self._reminders = Reminders(tasks, event_store, recorder, self._acknowledger, metrics=metrics)
        handler = EventHandler(
            event_store,
            recorder,
            self._reminders,
            dead_letters,
            self._acknowledger,
            metrics=metrics,
            max_deliveries=settings.max_deliveries,
        )
        self._consumer = Consumer(
            reader,
            settings.consumer,
            handler,
            self._acknowledger,
            metrics=metrics,
            claim_idle_seconds=settings.claim_idle_seconds,
        )

        self.inbox = Inbox(scripts, clock)
        self.feed = Feed[watch.Notification](FeedMetrics(registry).of("notifications"), limits or FeedLimits())
        self._dead_letter_admin = DeadLetterAdmin(
            redis, scripts, names, metrics=metrics, now_ms=clock, wake=self._deliverers.wake
        )
        self._tail = StreamTail(reader, redis_keys.NOTIFICATIONS, self.feed, watch.item_of)
        self._removed_channels = RemovedChannels(
            redis, names, event_store, completion, grace_seconds=settings.channel_grace_seconds, now_ms=clock
        )
        self._trimmer = Trimmer(redis, scripts, clock)
        self._gauges = Gauges(redis, self._acknowledger, metrics)

    def grpc_server(self, make_server: MakeServer = grpc.aio.server) -> MeshServer:
        """Return a new gRPC server with all services."""
        return server.build(
            self._settings,
            self._registry,
            self._tracer,
            self.inbox,
            self.feed,
            self._dead_letter_admin,
            self.check_ready,
            make_server,
        )

    def jobs(self) -> dict[str, Job]:
        """Return the background jobs by name."""
        return {
            "consume": self._consumer.run,
            "remind": self._reminders.run,
            **self._deliverers.jobs(),
            "finish": self._acknowledger.run,
            "tail": self._tail.run,
            "removed-channels": self._removed_channels.run,
            "trim": self._trimmer.run,
            "gauges": self._gauges.run,
        }

    async def check_ready(self) -> None:
        """Raise RedisError while the queue is unavailable, and Unavailable if the stream was not read for 15 s.

        A consumer that pauses because the task service confirms no events is ready.
        """
        await self.redis.ping()
        if self._consumer.seconds_without_progress > _STUCK_SECONDS and not self._acknowledger.is_full:
            raise Unavailable("NOT_READING", "The stream is not being read.")


def _channels(settings: NotifySettings) -> list[Channel]:
    configured = channel_file.read(settings.channels_file, is_development=settings.environment == "development")
    return [Console(), *(AppriseChannel(each, settings.delivery_timeout_seconds) for each in configured)]


def _delivery_rules(settings: NotifySettings, jitter: Jitter) -> DeliveryRules:
    return DeliveryRules(
        poll_seconds=settings.delivery_poll_seconds,
        timeout_seconds=settings.delivery_timeout_seconds,
        lease_ms=int(settings.delivery_lease_seconds * 1000),
        max_attempts=settings.max_attempts,
        backoff=Backoff(
            first_ms=int(settings.retry_first_seconds * 1000),
            longest_ms=int(settings.retry_longest_seconds * 1000),
            jitter=jitter,
        ),
    )
