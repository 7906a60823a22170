"""The endpoint for live events: a long-lived response instead of polling."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from chassis.identity import require_user
from edge_api.routes.strict import strict_router
from edge_api.schemas import requests
from edge_api.schemas.operation_docs import LastEventId, refusals
from edge_api.sse.event_stream import EventStream
from edge_api.sse.live import Live

PATH = "/api/v1/events"
_NAMES = "`task.created`, `task.updated` (an undeleted task too), `task.deleted`, `notification` and `reset`"
_ABOUT = (
    f"Server-sent events, named {_NAMES}. The data of a `task.…` event is the task, that of a `notification` event the "
    "notification, in the same format as in the other operations. Ignore a task if you already have a newer "
    "revision of it. A task and its notification can arrive in either order. `reset` means that you may have missed "
    "events: load everything again. If there is no event, a comment is sent every 15 seconds. The stream ends after "
    "four to five minutes; a browser reconnects automatically and misses nothing."
)
_EXAMPLE = 'id: 1795000000000-0~1795000000000-1\nevent: task.created\ndata: {"id": "01JD0000000000000000000000", …}\n\n'


class EventEndpoints:
    """Each method is one operation of the API; `router` has the paths."""

    def __init__(self, live: Live) -> None:
        self._live = live

    async def watch_events(
        self, _: Annotated[requests.NoQuery, Query()], last_event_id: LastEventId = None
    ) -> EventStream:
        """Stream changes to the caller's tasks, and the caller's new notifications."""
        return EventStream(self._live, require_user(), last_event_id)


def router(live: Live) -> APIRouter:
    """Return the route of events with its documentation."""
    routes = strict_router("events")
    content = {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}}
    responses: dict[int | str, dict[str, Any]] = {200: {"description": _ABOUT, "content": content}, **refusals()}
    routes.add_api_route(
        PATH,
        EventEndpoints(live).watch_events,
        methods=["GET"],
        status_code=200,
        response_class=EventStream,
        response_model=None,
        responses=responses,
    )
    return routes
