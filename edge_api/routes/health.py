"""What orchestrators ask: /healthz, whether the process lives; /readyz, whether it should get requests."""

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from edge_api.problems import Problem
from edge_api.upstreams import TASK_SERVICE, Upstreams

HEALTHZ, READYZ = "/healthz", "/readyz"
PROBES = frozenset({HEALTHZ, READYZ})


class Draining:
    """Whether the edge is about to stop."""

    def __init__(self) -> None:
        self.begun = False


class Probes:
    """The two endpoints; notifications being away leaves the edge ready, for tasks can be worked on without them."""

    def __init__(self, upstreams: Upstreams, draining: Draining) -> None:
        self._upstreams = upstreams
        self._draining = draining

    async def healthz(self) -> Response:
        """Always 200."""
        return JSONResponse({"status": "alive"})

    async def readyz(self) -> Response:
        """200 while the task service serves and the edge is not draining, else 503; with the services' states."""
        if self._draining.begun:
            return Problem(503, "DRAINING", "The edge is about to stop.").response()
        states = await self._upstreams.states()
        if states[TASK_SERVICE] != "SERVING":
            return Problem(503, "NOT_READY", "The task service is away.", extra={"services": states}).response()
        return JSONResponse({"status": "ready", "services": states})


def router(upstreams: Upstreams, draining: Draining) -> APIRouter:
    """The routes of the probes; the gateway never routes them, and the documentation leaves them out."""
    probes = Probes(upstreams, draining)
    routes = APIRouter(include_in_schema=False)
    routes.add_api_route(HEALTHZ, probes.healthz)
    routes.add_api_route(READYZ, probes.readyz)
    return routes
