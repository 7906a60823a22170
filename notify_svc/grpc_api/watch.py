"""Converts entries of the stream `notifications` to feed items, and feed items to the responses of the watch RPCs.

`chassis.feed.stream_tail` reads the stream and calls `item_of`; `servicer` sends the responses.
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
    """Return the notification in a stream entry that `lua/record.lua` wrote; None for an invalid entry."""
    text = fields.get(b"notification", b"")
    try:
        notification = notification_from_json(text)
    except (ValueError, TypeError, KeyError):
        return None
    occurred = notification.create_time_ms / 1000
    return Item(position, notification.owner, occurred, len(text), notification_to_proto(notification))


def notification_responses(batch: Batch[Notification]) -> Iterator[notify_pb2.WatchNotificationsResponse]:
    """Yield the responses for one user: one per notification, or a single heartbeat or reset."""
    for item in batch.items:
        yield notify_pb2.WatchNotificationsResponse(resume_token=token_of(item.position), notification=item.value)
    if not batch.items:
        yield notify_pb2.WatchNotificationsResponse(resume_token=token_of(batch.position), reset=batch.is_reset)


def event_responses(batch: Batch[Notification]) -> Iterator[events_pb2.WatchNotificationEventsResponse]:
    """Yield the responses for the mesh, each with many notifications and at most 1 MiB of them."""
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
