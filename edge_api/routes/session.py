"""The endpoint that returns the current user to a page."""

from typing import Annotated

from fastapi import APIRouter, Query

from chassis import identity
from edge_api.routes.strict import StrictRoute
from edge_api.schemas import requests, responses
from edge_api.schemas.operation_docs import refusals


async def get_session(_: Annotated[requests.NoQuery, Query()]) -> responses.Session:
    """Return the current user. With HTTP Basic credentials, it signs in: the response sets the session cookie."""
    return responses.Session(user=identity.require_user())


def router() -> APIRouter:
    """Return the route of the session; the gateway itself handles login and logout."""
    routes = APIRouter(tags=["session"], route_class=StrictRoute)
    routes.add_api_route("/api/v1/session", get_session, methods=["GET"], responses=refusals())
    return routes
