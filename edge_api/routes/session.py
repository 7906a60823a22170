"""The endpoint that tells a page who its user is."""

from typing import Annotated

from fastapi import APIRouter, Query

from chassis import identity
from edge_api.routes.strict import StrictRoute
from edge_api.schemas import requests, responses
from edge_api.schemas.operation_docs import refusals


async def get_session(_: Annotated[requests.NoQuery, Query()]) -> responses.Session:
    """Returns who is calling. With HTTP Basic it signs in: the response sets the session's cookie."""
    return responses.Session(user=identity.require_user())


def router() -> APIRouter:
    """The route of the session; the gateway answers logins and logouts itself."""
    routes = APIRouter(tags=["session"], route_class=StrictRoute)
    routes.add_api_route("/api/v1/session", get_session, methods=["GET"], responses=refusals())
    return routes
