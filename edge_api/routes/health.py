"""Health checks for orchestrators: /healthz for liveness, /readyz for readiness."""

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from edge_api.problems import Problem
from edge_api.upstreams import TASK_SERVICE, Upstreams

HEALTHZ, READYZ = "/healthz", "/readyz"
PROBES = frozenset({HEALTHZ, READYZ})


class Draining:
    """Whether the edge is draining, that is, about to stop."""

    def __init__(self) -> None:
        self.begun = False


class Probes:
    """The two endpoints. The edge stays ready without the notification service, because tasks do not need it."""

    def __init__(self, upstreams: Upstreams, draining: Draining) -> None:
        self._upstreams = upstreams
        self._draining = draining

    async def healthz(self) -> Response:
        """Return 200."""
        return JSONResponse({"status": "alive"})

    async def readyz(self) -> Response:
        """Return the services' states: 200 if the task service is serving and the edge is not draining, else 503."""
        if self._draining.begun:
            return Problem(503, "DRAINING", "The edge is stopping.").response()
        states = await self._upstreams.states()
        if states[TASK_SERVICE] != "SERVING":
            return Problem(503, "NOT_READY", "The task service is unavailable.", extra={"services": states}).response()
        return JSONResponse({"status": "ready", "services": states})


def router(upstreams: Upstreams, draining: Draining) -> APIRouter:
    """Return the routes of the probes; they are not documented, and the gateway does not route to them."""
    probes = Probes(upstreams, draining)
    routes = APIRouter(include_in_schema=False)
    routes.add_api_route(HEALTHZ, probes.healthz)
    routes.add_api_route(READYZ, probes.readyz)
    return routes
