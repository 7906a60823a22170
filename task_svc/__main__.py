"""The composition root of the task service: `python -m task_svc`.

The service starts without the queue and without MongoDB. It is not ready until the store is available. Events that are
stored while the queue is unavailable are published when the queue is available again.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from functools import partial

import grpc
import uvloop
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from chassis import gc_tuning, log
from chassis.background_jobs import Job, background
from chassis.feed.feed import Feed
from chassis.feed.metrics import FeedMetrics
from chassis.feed.stream_tail import StreamTail
from chassis.grpc_api.server import MakeServer, until_stopped
from chassis.metrics import LoopMetrics, new_registry, serve_metrics
from chassis.settings import load
from chassis.tracing import Tracing
from task_svc.event_stream import STREAM, RedisEventStream
from task_svc.grpc_api import server as grpc_server
from task_svc.grpc_api import watch
from task_svc.jobs import keep_migrating_texts, keep_purging, keep_refreshing, keep_reminding
from task_svc.outbox import Clock
from task_svc.relay import Pauses, Relay
from task_svc.relay_metrics import RelayMetrics
from task_svc.repository import StoreUnusable, TaskRepository
from task_svc.settings import TaskSettings
from task_svc.sqlite import store as sqlite
from task_svc.use_cases import Tasks

_QUEUE_SECONDS = 2.0


async def main(settings: TaskSettings) -> None:
    """Run the service until it receives SIGTERM or SIGINT."""
    log.configure("task_svc", settings.log_level, settings.log_format)
    async with until_stopped() as stopped, serving(settings):
        gc_tuning.freeze()
        await stopped.wait()


@asynccontextmanager
async def serving(settings: TaskSettings, make_server: MakeServer = grpc.aio.server) -> AsyncIterator[None]:
    """Build the service and run it until the block ends."""
    registry = new_registry()
    clock = partial(datetime.now, UTC)
    with closing(Tracing("task_svc", settings.otlp_endpoint)) as tracing:
        async with _store(settings) as store, _redis(settings) as redis:
            metrics = RelayMetrics(registry)
            relay = Relay(store, RedisEventStream(redis), clock, _pauses(settings), metrics)
            lead = timedelta(seconds=settings.reminder_lead_seconds)
            tasks = Tasks(store, clock, relay.publish_soon, lead)
            feed = Feed[watch.Event](FeedMetrics(registry).of("tasks"))
            tail = StreamTail(redis, STREAM, feed, watch.item_of)
            server = grpc_server.build(settings, registry, tracing.tracer, tasks, feed, store.ping, make_server)
            with serve_metrics(registry, settings.metrics_host, settings.metrics_port):
                jobs = {**_jobs(relay, tail, tasks, metrics, store, clock), "measure-loop": LoopMetrics(registry).run}
                async with background(jobs, registry), server.serving():
                    yield


def _jobs(
    relay: Relay,
    tail: StreamTail[watch.Event],
    tasks: Tasks,
    metrics: RelayMetrics,
    store: TaskRepository,
    clock: Clock,
) -> dict[str, Job]:
    return {
        "publish": relay.publish_written,
        "note-published": relay.note_published,
        "sweep": relay.sweep,
        "tail": tail.run,
        "remind": partial(keep_reminding, tasks),
        "purge": partial(keep_purging, store, clock),
        "migrate-texts": partial(keep_migrating_texts, store),
        "outbox-gauges": partial(keep_refreshing, metrics, store, clock),
    }


def _store(settings: TaskSettings) -> AbstractAsyncContextManager[TaskRepository]:
    if settings.sqlite_path is not None:
        return sqlite.open_store(settings.sqlite_path)
    from task_svc.mongo import store as mongo  # the driver takes memory

    return mongo.open_store(settings.store_url, settings.store_password_file)


def _redis(settings: TaskSettings) -> Redis:
    # The client does not retry: a repeated XADD would publish an event twice. The sweep retries instead.
    return Redis.from_url(
        settings.redis_url,
        password=settings.redis_password,
        socket_timeout=_QUEUE_SECONDS,
        socket_connect_timeout=_QUEUE_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def _pauses(settings: TaskSettings) -> Pauses:
    return Pauses(
        sweep=timedelta(seconds=settings.sweep_seconds),
        first_check=timedelta(seconds=settings.first_look_seconds),
        longest_check=timedelta(seconds=settings.longest_look_seconds),
    )


if __name__ == "__main__":
    try:
        uvloop.run(main(load(TaskSettings)))
    except StoreUnusable as error:
        sys.exit(str(error))
