"""Delivers what is owed on one channel: retries with growing pauses, and gives up in the end.

There is one per channel, so that a slow or dead channel holds up nobody else. What a process has taken when it dies is
due again for any other when the lease ends.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from opentelemetry import trace

from chassis import identity, tracing
from notify_svc.delivery.channel import Channel, DeliveryFailed
from notify_svc.domain import Backoff, DeadLetter, Notification, NowMs, Outcome, Reason
from notify_svc.events.acknowledger import Finisher, Settled
from notify_svc.metrics import NotifyMetrics
from notify_svc.storage.dead_letters import DeadLetters
from notify_svc.storage.event_store import Attempt, Ledger, Owed

_log = structlog.get_logger("deliverer")


@dataclass(frozen=True, slots=True)
class DeliveryRules:
    """How a channel is treated: how often it is looked for what is due, the time for one attempt, how many there are,
    and the pause between them."""

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
        ledger: Ledger,
        dead_letters: DeadLetters,
        finisher: Finisher,
        *,
        tracer: trace.Tracer,
        metrics: NotifyMetrics,
        now_ms: NowMs,
    ) -> None:
        self._channel = channel
        self._rules = rules
        self._ledger = ledger
        self._dead_letters = dead_letters
        self._finisher = finisher
        self._tracer = tracer
        self._metrics = metrics
        self._now_ms = now_ms
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Tells that there may be something to deliver."""
        self._woken.set()

    async def run(self) -> None:
        """Works until cancelled. Raises RedisError while Redis is away; nothing is lost by running it again."""
        while True:
            self._woken.clear()
            taken = await self._ledger.take(self._channel.name, self._channel.concurrency, self._rules.lease_ms)
            if taken:
                await self._deliver(taken)
            if len(taken) < self._channel.concurrency:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._rules.poll_seconds):
                        await self._woken.wait()

    async def _deliver(self, taken: Sequence[Owed]) -> None:
        attempts = await asyncio.gather(*(self._attempt(owed) for owed in taken))
        given_up = [attempt for attempt in attempts if attempt.outcome is Outcome.GAVE_UP]
        await self._settle([attempt for attempt in attempts if attempt.outcome is not Outcome.GAVE_UP])
        for attempt in given_up:
            await self._bury(attempt)
        await self._settle(given_up)

    async def _settle(self, attempts: Sequence[Attempt]) -> None:
        if not attempts:
            return
        for attempt, entries in zip(attempts, await self._ledger.settle(self._channel.name, attempts), strict=True):
            if entries is not None:
                await self._finisher.finish(Settled(attempt.owed.notification.id, entries))

    async def _attempt(self, owed: Owed) -> Attempt:
        if owed.attempt > self._rules.max_attempts:
            return self._failed(owed, "every attempt ended with its process")
        try:
            await self._told(owed.notification)
        except DeliveryFailed as error:
            return self._failed(owed, str(error), error.retry_after_seconds)
        except TimeoutError:
            return self._failed(owed, "not delivered in time")
        except Exception as error:
            _log.exception("unexpected error of a channel", channel=self._channel.name)
            return self._failed(owed, repr(error))
        self._count("delivered")
        return Attempt(owed, Outcome.DELIVERED)

    async def _told(self, notification: Notification) -> None:
        """Delivers as a part of the request that caused the event: under its id, in its trace."""
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
            self._metrics.delivery_seconds.labels(self._channel.name).observe(max(0.0, seconds), tracing.exemplar())

    def _failed(self, owed: Owed, why: str, asked_seconds: float | None = None) -> Attempt:
        if owed.attempt >= self._rules.max_attempts:
            self._count("gave_up")
            return Attempt(owed, Outcome.GAVE_UP, detail=why)
        self._count("retried")
        pause = self._rules.backoff.pause_ms(owed.attempt, asked_seconds)
        _log.warning(
            "delivery failed",
            channel=self._channel.name,
            event_id=owed.notification.id,
            attempt=owed.attempt,
            pause_ms=pause,
            error=why,
        )
        return Attempt(owed, Outcome.PENDING, self._now_ms() + pause, why)

    async def _bury(self, attempt: Attempt) -> None:
        """Makes a dead letter before the event is settled: a crash between the two only repeats that."""
        owed, channel = attempt.owed, self._channel.name
        letter = DeadLetter(
            f"{owed.entries[0]}/{channel}",
            owed.notification.id,
            Reason.GAVE_UP,
            attempt.detail,
            min(owed.attempt, self._rules.max_attempts),
            channel=channel,
            notification=owed.notification,
        )
        await self._dead_letters.put(letter)

    def _count(self, outcome: str) -> None:
        self._metrics.notifications.labels(self._channel.name, outcome).inc()
