"""The endpoint that tells a page who its user is."""

from typing import Annotated

from fastapi import APIRouter, Query

from chassis import identity
from edge_api import answers, requests
from edge_api.documented import refusals
from edge_api.strict import StrictRoute


async def get_session(_: Annotated[requests.NoQuery, Query()]) -> answers.Session:
    """Returns who the gateway says is calling."""
    return answers.Session(user=identity.require_user())


def router() -> APIRouter:
    """The route of the session; the gateway answers logins and logouts itself."""
    routes = APIRouter(tags=["session"], route_class=StrictRoute)
    routes.add_api_route("/api/v1/session", get_session, methods=["GET"], responses=refusals())
    return routes
