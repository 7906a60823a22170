"""Delivers the notifications of one channel: retries with a backoff, and gives up after the last attempt.

Each channel has its own deliverer, so a slow or unavailable channel does not delay the others. If a process dies, the
other processes can lease its deliveries when its lease ends.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from opentelemetry import trace

from chassis import identity, tracing
from chassis.background_jobs import Job
from notify_svc.delivery.channel import Channel, DeliveryFailed
from notify_svc.delivery.completion import Completion
from notify_svc.domain import Backoff, Notification, NowMs, Outcome
from notify_svc.metrics import NotifyMetrics
from notify_svc.storage.event_store import Attempt, EventStore, PendingDelivery

_log = structlog.get_logger("deliverer")
_OUTCOMES = ("delivered", "retried", "gave_up")  # of an attempt; their counters start at 0


@dataclass(frozen=True, slots=True)
class DeliveryRules:
    """The poll interval of a channel, the time limit and number of its attempts, and the backoff between them."""

    poll_seconds: float
    timeout_seconds: float
    lease_ms: int
    max_attempts: int
    backoff: Backoff


class Deliverer:
    """The worker of one channel."""

    def __init__(
        self,
        channel: Channel,
        rules: DeliveryRules,
        event_store: EventStore,
        completion: Completion,
        *,
        tracer: trace.Tracer,
        metrics: NotifyMetrics,
        now_ms: NowMs,
    ) -> None:
        self._channel = channel
        self._rules = rules
        self._event_store = event_store
        self._completion = completion
        self._tracer = tracer
        self._seconds = metrics.delivery_seconds.labels(channel.name)
        self._count = {each: metrics.notifications.labels(channel.name, each) for each in _OUTCOMES}
        self._now_ms = now_ms
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """End the pause between two polls."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver until cancelled. Raises RedisError while Redis is unavailable; `run` can be called again."""
        while True:
            self._woken.clear()
            leased = await self._event_store.lease(self._channel.name, self._channel.concurrency, self._rules.lease_ms)
            if leased:
                attempts = await asyncio.gather(*(self._attempt(delivery) for delivery in leased))
                await self._completion.complete(self._channel.name, attempts)
            if len(leased) < self._channel.concurrency:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._rules.poll_seconds):
                        await self._woken.wait()

    async def _attempt(self, delivery: PendingDelivery) -> Attempt:
        if delivery.attempt > self._rules.max_attempts:
            self._count["gave_up"].inc()
            return Attempt(delivery, Outcome.GAVE_UP, detail="the process died during every attempt", is_made=False)
        try:
            await self._deliver(delivery.notification)
        except DeliveryFailed as error:
            return self._failed(delivery, str(error), error.retry_after_seconds)
        except TimeoutError:
            return self._failed(delivery, "the attempt timed out")
        except Exception as error:
            _log.exception("unexpected channel error", channel=self._channel.name)
            return self._failed(delivery, repr(error))
        self._count["delivered"].inc()
        return Attempt(delivery, Outcome.DELIVERED)

    async def _deliver(self, notification: Notification) -> None:
        """Deliver with the id and in the trace of the request that caused the event."""
        request_id = identity.set_request_id(notification.request_id or None)
        with self._tracer.start_as_current_span(
            f"deliver {self._channel.name}",
            context=tracing.parent({tracing.TRACEPARENT_KEY: notification.traceparent}),
            kind=trace.SpanKind.CONSUMER,
        ):
            structlog.contextvars.bind_contextvars(request_id=request_id, trace_id=tracing.trace_id())
            async with asyncio.timeout(self._rules.timeout_seconds):
                await self._channel.deliver(notification)
            seconds = (self._now_ms() - notification.create_time_ms) / 1000
            self._seconds.observe(max(0.0, seconds), tracing.exemplar())

    def _failed(self, delivery: PendingDelivery, error: str, retry_after_seconds: float | None = None) -> Attempt:
        if delivery.attempt >= self._rules.max_attempts:
            self._count["gave_up"].inc()
            return Attempt(delivery, Outcome.GAVE_UP, detail=error)
        self._count["retried"].inc()
        pause = self._rules.backoff.pause_ms(delivery.attempt, retry_after_seconds)
        _log.warning(
            "delivery failed",
            channel=self._channel.name,
            event_id=delivery.notification.id,
            attempt=delivery.attempt,
            pause_ms=pause,
            error=error,
        )
        return Attempt(delivery, Outcome.PENDING, self._now_ms() + pause, error)


class Deliverers:
    """The deliverers of all channels, by the channel's name."""

    def __init__(self, deliverers: Mapping[str, Deliverer]) -> None:
        self._deliverers = deliverers

    def wake(self) -> None:
        """Wake all deliverers."""
        for each in self._deliverers.values():
            each.wake()

    def jobs(self) -> dict[str, Job]:
        """Return the background jobs of all deliverers by name."""
        return {f"deliver-{name}": each.run for name, each in self._deliverers.items()}
