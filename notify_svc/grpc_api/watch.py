"""What may be watched of the stream `notifications`, and the messages in which it is told.

Between `chassis.feed.stream_tail`, which reads the stream, and `servicer`, whose callers watch the feed.
"""

from collections.abc import Iterator

from notify.v1 import events_pb2, notify_pb2

from chassis.feed.stream_id import StreamId, token_of
from chassis.feed.stream_tail import Fields
from chassis.feed.watcher import Batch, Item
from notify_svc.grpc_api.convert import notification_to_proto
from notify_svc.storage.event_store import notification_from_json

Notification = notify_pb2.Notification

_MESSAGE_BYTES_MAX = 1024 * 1024


def item_of(position: StreamId, fields: Fields) -> Item[Notification] | None:
    """The notification in a stream entry, as `lua/record.lua` wrote it; None where there is none to read."""
    text = fields.get(b"notification", b"")
    try:
        notification = notification_from_json(text)
    except (ValueError, TypeError, KeyError):
        return None
    occurred = notification.create_time_ms / 1000
    return Item(position, notification.owner, occurred, len(text), notification_to_proto(notification))


def notification_responses(batch: Batch[Notification]) -> Iterator[notify_pb2.WatchNotificationsResponse]:
    """The messages for one user: one for each notification, or one heartbeat or reset."""
    for item in batch.items:
        yield notify_pb2.WatchNotificationsResponse(resume_token=token_of(item.position), notification=item.value)
    if not batch.items:
        yield notify_pb2.WatchNotificationsResponse(resume_token=token_of(batch.position), reset=batch.is_reset)


def event_responses(batch: Batch[Notification]) -> Iterator[events_pb2.WatchNotificationEventsResponse]:
    """The messages for the mesh: many notifications in each, as far as it becomes no larger than a megabyte."""
    for piece in batch.pieces(_MESSAGE_BYTES_MAX):
        yield events_pb2.WatchNotificationEventsResponse(
            resume_token=token_of(piece.position),
            events=[
                events_pb2.NotificationEvent(
                    resume_token=token_of(item.position), owner=item.owner, notification=item.value
                )
                for item in piece.items
            ],
            reset=piece.is_reset,
        )
