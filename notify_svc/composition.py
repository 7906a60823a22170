"""Puts the parts between the streams, the channels and those who watch together; `__main__` gives it what reaches
outside."""

from collections.abc import Sequence

from opentelemetry import trace
from redis.asyncio import Redis
from task.v1 import events_pb2_grpc, task_pb2_grpc

from chassis.background_jobs import Job
from chassis.errors import Unavailable
from chassis.feed.feed import Feed
from chassis.feed.stream_tail import StreamTail
from notify_svc.delivery.channel import Channel
from notify_svc.delivery.deliverer import Deliverer, DeliveryRules
from notify_svc.delivery.removed_channels import RemovedChannels
from notify_svc.domain import Backoff, Jitter, NowMs
from notify_svc.events.acknowledger import Finisher
from notify_svc.events.consumer import Consumer
from notify_svc.events.event_handler import Intake
from notify_svc.events.trimmer import Trimmer
from notify_svc.gauges import Gauges
from notify_svc.grpc_api import watch
from notify_svc.metrics import NotifyMetrics
from notify_svc.settings import NotifySettings
from notify_svc.storage import redis_keys
from notify_svc.storage.dead_letter_admin import Triage
from notify_svc.storage.dead_letters import DeadLetters
from notify_svc.storage.event_store import Ledger
from notify_svc.storage.inbox import Inbox
from notify_svc.storage.redis_keys import Scripts

_STUCK_SECONDS = 15.0


class Notifier:
    """All that happens to events in one process: `jobs` are to be kept running, `inbox` and `feed` are what users see,
    `triage` what operators do.

    `redis` is for commands, `reader` for the blocking reads of the streams alone.
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
        tracer: trace.Tracer,
        metrics: NotifyMetrics,
        feed: Feed[watch.Notification],
        now_ms: NowMs,
        jitter: Jitter,
    ) -> None:
        scripts = Scripts(redis)
        self._redis = redis
        self.inbox = Inbox(scripts, now_ms)
        self.feed = feed
        self._tail = StreamTail(reader, redis_keys.NOTIFICATIONS, feed, watch.item_of)
        names = [channel.name for channel in channels]
        ledger = Ledger(redis, scripts, names, now_ms)
        dead_letters = DeadLetters(scripts, metrics, now_ms)
        self.triage = Triage(redis, scripts, names, metrics=metrics, now_ms=now_ms, wake=self._wake)
        self._finisher = Finisher(redis, events, metrics, settings.unconfirmed_limit)
        self._deliverers = {
            channel.name: Deliverer(
                channel,
                _rules(settings, jitter),
                ledger,
                dead_letters,
                self._finisher,
                tracer=tracer,
                metrics=metrics,
                now_ms=now_ms,
            )
            for channel in channels
        }
        intake = Intake(
            redis,
            ledger,
            dead_letters,
            self._finisher,
            tasks,
            metrics=metrics,
            max_deliveries=settings.max_deliveries,
            wake=self._wake,
        )
        self._reminders = intake.reminders
        self._consumer = Consumer(
            reader,
            settings.consumer,
            intake,
            self._finisher,
            metrics=metrics,
            claim_idle_seconds=settings.claim_idle_seconds,
        )
        self._removed_channels = RemovedChannels(
            redis,
            names,
            ledger,
            dead_letters,
            self._finisher,
            grace_seconds=settings.channel_grace_seconds,
            now_ms=now_ms,
        )
        self._trimmer = Trimmer(redis, scripts, now_ms)
        self._gauges = Gauges(redis, self._finisher, metrics)

    def jobs(self) -> dict[str, Job]:
        """What has to run in the background, by name."""
        deliverers: dict[str, Job] = {f"deliver-{name}": each.run for name, each in self._deliverers.items()}
        return {
            "consume": self._consumer.run,
            "remind": self._reminders.run,
            **deliverers,
            "finish": self._finisher.run,
            "tail": self._tail.run,
            "removed-channels": self._removed_channels.run,
            "trim": self._trimmer.run,
            "gauges": self._gauges.run,
        }

    async def check_ready(self) -> None:
        """Raises RedisError while the queue is away, Unavailable while the stream is not being read.

        A reader that is held back, since the task service confirms nothing, does all it can and is ready.
        """
        await self._redis.ping()
        if self._consumer.seconds_without_progress > _STUCK_SECONDS and not self._finisher.is_full:
            raise Unavailable("NOT_READING", "The stream is not being read.")

    def _wake(self) -> None:
        for deliverer in self._deliverers.values():
            deliverer.wake()


def _rules(settings: NotifySettings, jitter: Jitter) -> DeliveryRules:
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
