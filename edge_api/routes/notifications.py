"""The endpoints of notifications: each converts the request, makes one call, and converts the response."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Response
from notify.v1 import notify_pb2

from edge_api.routes.strict import strict_router
from edge_api.schemas import convert, requests, responses
from edge_api.schemas.operation_docs import refusals

if TYPE_CHECKING:
    from notify.v1.notify_pb2_grpc import NotificationServiceAsyncStub

PATH = "/api/v1/notifications"


class NotificationEndpoints:
    """Each method is one operation of the API; `router` has the paths."""

    def __init__(self, notifications: "NotificationServiceAsyncStub") -> None:
        self._notifications = notifications

    async def list_notifications(self, query: Annotated[requests.ListNotificationsQuery, Query()]) -> Response:
        """List the caller's notifications in pages, newest first."""
        request = notify_pb2.ListNotificationsRequest(
            page_size=convert.page_size_of(query.page_size), page_token=query.page_token
        )
        page = await self._notifications.ListNotifications(request)
        return responses.Json(convert.notification_page_answer(page))

    async def mark_notifications_read(
        self, body: requests.ReadMarks, _: Annotated[requests.NoQuery, Query()]
    ) -> Response:
        """Mark notifications as read. This operation is idempotent."""
        await self._notifications.MarkNotificationsRead(convert.marks_of(body))
        return Response(status_code=204)


def router(notifications: "NotificationServiceAsyncStub") -> APIRouter:
    """Return the routes of notifications with their documentation."""
    endpoints = NotificationEndpoints(notifications)
    routes = strict_router("notifications")
    routes.add_api_route(
        PATH,
        endpoints.list_notifications,
        methods=["GET"],
        response_model=responses.NotificationPage,
        responses=refusals(400),
    )
    routes.add_api_route(
        f"{PATH}:markRead",
        endpoints.mark_notifications_read,
        methods=["POST"],
        status_code=204,
        responses=refusals(400, 408, 415),
    )
    return routes
