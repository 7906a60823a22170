"""The endpoint of what happens: one answer that goes on, in place of asking again and again."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from chassis.identity import require_user
from edge_api.routes.strict import StrictRoute
from edge_api.schemas import requests
from edge_api.schemas.operation_docs import LastEventId, refusals
from edge_api.sse.event_stream import EventStream
from edge_api.sse.live import Live

PATH = "/api/v1/events"
_NAMES = "`task.created`, `task.updated` (an undeleted task too), `task.deleted`, `notification` and `reset`"
_ABOUT = (
    f"Server-sent events, named {_NAMES}. The data of a `task.…` is the task, of a `notification` the notification, "
    "as the other operations answer with them; a task of an older revision than was seen before is out of date. A "
    "task and its notification come in either order. `reset` says that something may have been missed: load "
    "everything again. A comment comes when nothing else does for 15 seconds. The stream ends after four to five "
    "minutes; a browser comes back by itself, and misses nothing."
)
_EXAMPLE = 'id: 1795000000000-0~1795000000000-1\nevent: task.created\ndata: {"id": "01JD0000000000000000000000", …}\n\n'


class EventEndpoints:
    """Its one method is one operation of the API; the router below says at which path."""

    def __init__(self, live: Live) -> None:
        self._live = live

    async def watch_events(
        self, _: Annotated[requests.NoQuery, Query()], last_event_id: LastEventId = None
    ) -> EventStream:
        """Streams what happens to the caller's tasks, and the caller's new notifications."""
        return EventStream(self._live, require_user(), last_event_id)


def router(live: Live) -> APIRouter:
    """The route of events, with what the documentation says of it."""
    routes = APIRouter(tags=["events"], route_class=StrictRoute)
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
