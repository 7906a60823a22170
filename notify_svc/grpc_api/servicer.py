"""The servicers: each method converts the request, calls `inbox` or the feed once, and converts the result."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc
from notify.v1 import events_pb2, events_pb2_grpc, notify_pb2, notify_pb2_grpc

from chassis import identity
from chassis.feed.feed import Feed
from chassis.feed.stream_id import resume_point
from notify_svc.domain import MARK_IDS_MAX
from notify_svc.grpc_api import page_token, validation, watch
from notify_svc.grpc_api.convert import notification_to_proto
from notify_svc.storage.inbox import Inbox

Context = grpc.aio.ServicerContext[Any, Any]


class NotificationServicer(notify_pb2_grpc.NotificationServiceServicer):
    """Serves users; every method accesses only the caller's own notifications."""

    def __init__(self, inbox: Inbox, feed: Feed[watch.Notification]) -> None:
        self._inbox = inbox
        self._feed = feed

    async def ListNotifications(
        self, request: notify_pb2.ListNotificationsRequest, context: Context
    ) -> notify_pb2.ListNotificationsResponse:
        """List the caller's notifications, newest first."""
        owner = identity.require_user()
        after = page_token.decode(request.page_token, owner) if request.page_token else None
        page = await self._inbox.page(owner, validation.page_size(request.page_size), after)
        return notify_pb2.ListNotificationsResponse(
            notifications=[notification_to_proto(notification) for notification in page.notifications],
            next_page_token=page_token.encode(page.next, owner) if page.next else "",
            unread_count=page.unread_count,
        )

    async def MarkNotificationsRead(
        self, request: notify_pb2.MarkNotificationsReadRequest, context: Context
    ) -> notify_pb2.MarkNotificationsReadResponse:
        """Mark some or all of the caller's notifications as read."""
        owner = identity.require_user()
        validation.check_some_or_all("ids", request.ids, request.all, at_most=MARK_IDS_MAX)
        await self._inbox.mark_read(owner, request.ids)
        return notify_pb2.MarkNotificationsReadResponse()

    async def WatchNotifications(
        self, request: notify_pb2.WatchNotificationsRequest, context: Context
    ) -> AsyncIterator[notify_pb2.WatchNotificationsResponse]:
        """Stream the caller's new notifications."""
        after = resume_point(request.resume_token)
        async with aclosing(self._feed.batches(identity.require_user(), after)) as batches:
            async for batch in batches:
                for response in watch.notification_responses(batch):
                    yield response


class NotificationEventsServicer(events_pb2_grpc.NotificationEventsServiceServicer):
    """Serves the other services of the mesh with the new notifications of all users."""

    def __init__(self, feed: Feed[watch.Notification]) -> None:
        self._feed = feed

    async def WatchNotificationEvents(
        self, request: events_pb2.WatchNotificationEventsRequest, context: Context
    ) -> AsyncIterator[events_pb2.WatchNotificationEventsResponse]:
        """Stream the new notifications of all users."""
        after = resume_point(request.resume_token)
        async with aclosing(self._feed.batches(None, after, waiting=self._feed.limits.items)) as batches:
            async for batch in batches:
                for response in watch.event_responses(batch):
                    yield response
