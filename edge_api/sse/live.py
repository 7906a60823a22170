"""The live feeds of this edge: one stream from each service for any number of clients.

A stream has the events of all users; a feed separates them by user, and `event_stream` watches it for one user.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Generic, Protocol, TypeVar

from notify.v1 import events_pb2 as notify_events_pb2
from task.v1 import events_pb2

from chassis.background_jobs import Job
from chassis.errors import Unavailable
from chassis.feed.feed import Feed, FeedLimits
from chassis.feed.metrics import FeedMetrics
from chassis.feed.stream_id import StreamId, stream_id_of, token_of
from chassis.feed.watcher import Item
from chassis.grpc_api import client_streams
from chassis.grpc_api.client import ClientInterceptor
from edge_api.sse import frames
from edge_api.sse.frames import Frame
from edge_api.sse.heartbeats import Heartbeats
from edge_api.upstreams import NOTIFICATION_EVENTS_SERVICE, TASK_EVENTS_SERVICE, Upstreams

E = TypeVar("E", covariant=True)


class Message(Protocol[E]):
    """The messages of both services' streams."""

    resume_token: str
    reset: bool

    @property
    def events(self) -> Sequence[E]:
        """The events, in order."""


class Follower(Generic[E]):
    """Fills a feed from a service's stream; `read` returns the messages after a resume token."""

    def __init__(
        self,
        feed: Feed[Frame],
        read: Callable[[str], AsyncGenerator[Message[E], None]],
        item_of: Callable[[E], Item[Frame]],
    ) -> None:
        self._feed = feed
        self._read = read
        self._item_of = item_of

    async def run(self) -> None:
        """Run until the stream ends; a service ends it every few minutes. Raises Unavailable after an error.

        The next run continues after the last message.
        """
        position = self._feed.position
        async with aclosing(self._read(token_of(position) if position else "")) as messages:
            async for message in messages:
                if message.reset or self._feed.position is None:
                    self._feed.begin(_position(message.resume_token))
                for event in message.events:
                    self._feed.append(self._item_of(event))
                self._feed.advance(_position(message.resume_token))


class Live:
    """The feeds of this edge and the heartbeats of their watchers; `jobs` must keep running."""

    def __init__(
        self, upstreams: Upstreams, calls: ClientInterceptor, metrics: FeedMetrics, limits: FeedLimits
    ) -> None:
        self.tasks = Feed[Frame](metrics.of("tasks"), limits)
        self.notifications = Feed[Frame](metrics.of("notifications"), limits)
        self.heartbeats = Heartbeats()
        self._upstreams = upstreams
        self._calls = calls

    def jobs(self) -> dict[str, Job]:
        """Return the background jobs by name."""
        return {
            "follow-tasks": Follower(self.tasks, self._read_tasks, _task_item).run,
            "follow-notifications": Follower(self.notifications, self._read_notifications, _notification_item).run,
            "heartbeats": self.heartbeats.run,
        }

    def end(self) -> None:
        """End all current and future watchers."""
        self.tasks.end()
        self.notifications.end()

    def _read_tasks(self, token: str) -> AsyncGenerator[events_pb2.WatchTaskEventsResponse, None]:
        request = events_pb2.WatchTaskEventsRequest(resume_token=token)
        method = self._upstreams.task_events.WatchTaskEvents
        return client_streams.read(self._calls, f"{TASK_EVENTS_SERVICE}/WatchTaskEvents", method, request)

    def _read_notifications(
        self, token: str
    ) -> AsyncGenerator[notify_events_pb2.WatchNotificationEventsResponse, None]:
        request = notify_events_pb2.WatchNotificationEventsRequest(resume_token=token)
        method = self._upstreams.notification_events.WatchNotificationEvents
        path = f"{NOTIFICATION_EVENTS_SERVICE}/WatchNotificationEvents"
        return client_streams.read(self._calls, path, method, request)


def _task_item(watched: events_pb2.WatchedTaskEvent) -> Item[Frame]:
    event = watched.event
    occurred = event.occur_time.ToNanoseconds() / 1e9
    position = _position(watched.resume_token)
    return Item(position, event.owner, occurred, watched.ByteSize(), frames.of_task(event))


def _notification_item(event: notify_events_pb2.NotificationEvent) -> Item[Frame]:
    notification = event.notification
    occurred = notification.create_time.ToNanoseconds() / 1e9
    position = _position(event.resume_token)
    return Item(position, event.owner, occurred, event.ByteSize(), frames.of_notification(notification))


def _position(token: str) -> StreamId:
    position = stream_id_of(token)
    if position is None:
        raise Unavailable("STREAM_BROKEN", "A service sent an invalid resume token.")
    return position
