"""The endpoint that returns the current user to a page."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from chassis import identity
from edge_api.routes.strict import strict_router
from edge_api.schemas import requests, responses
from edge_api.schemas.operation_docs import refusals


async def get_session(_: Annotated[requests.NoQuery, Query()]) -> Response:
    """Return the current user. With HTTP Basic credentials, it signs in: the response sets the session cookie."""
    return responses.Json({"user": identity.require_user()})


def router() -> APIRouter:
    """Return the route of the session; the gateway itself handles login and logout."""
    routes = strict_router("session")
    routes.add_api_route(
        "/api/v1/session", get_session, methods=["GET"], response_model=responses.Session, responses=refusals()
    )
    return routes
