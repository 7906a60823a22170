"""notify.v1.NotificationService: converts in, asks the inbox, converts out."""

from typing import Any

import grpc
from notify.v1 import notify_pb2, notify_pb2_grpc

from chassis import identity
from chassis.errors import InvalidInput, Violation
from notify_svc import page_token
from notify_svc.convert import notification_to_proto
from notify_svc.domain import MARK_IDS_MAX, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX
from notify_svc.inbox import Inbox

Context = grpc.aio.ServicerContext[Any, Any]


class NotificationServicer(notify_pb2_grpc.NotificationServiceServicer):
    """Shows users their own notifications and nobody else's."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def ListNotifications(
        self, request: notify_pb2.ListNotificationsRequest, context: Context
    ) -> notify_pb2.ListNotificationsResponse:
        """Lists the caller's notifications, newest first."""
        owner = identity.require_user()
        after = page_token.decode(owner, request.page_token) if request.page_token else None
        page = await self._inbox.page(owner, _page_size(request.page_size), after)
        return notify_pb2.ListNotificationsResponse(
            notifications=[notification_to_proto(notification) for notification in page.notifications],
            next_page_token=page_token.encode(owner, page.next) if page.next else "",
            unread_count=page.unread_count,
        )

    async def MarkNotificationsRead(
        self, request: notify_pb2.MarkNotificationsReadRequest, context: Context
    ) -> notify_pb2.MarkNotificationsReadResponse:
        """Marks some or all of the caller's notifications as read."""
        owner = identity.require_user()
        if bool(request.ids) == request.all:
            raise InvalidInput(Violation("ids", "exactly one of ids and all must be given"))
        if len(request.ids) > MARK_IDS_MAX:
            raise InvalidInput(Violation("ids", f"must be at most {MARK_IDS_MAX}"))
        await self._inbox.mark_read(owner, request.ids)
        return notify_pb2.MarkNotificationsReadResponse()


def _page_size(asked: int) -> int:
    if asked < 0:
        raise InvalidInput(Violation("page_size", "must not be negative"))
    return min(asked or PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
