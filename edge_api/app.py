"""Puts the edge together: the routes in the middle, the layers around them, each of them pure ASGI.

A request goes Observe → LastResort → InFlightLimit → SizeLimits → Authenticate → SameSite → FastAPI, and its answer
back.
"""

from fastapi import FastAPI
from opentelemetry import trace
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from chassis.identity import MeshTokens
from edge_api.exception_handlers import LastResort, handle_errors
from edge_api.http_metrics import HttpMetrics
from edge_api.middleware.auth import Authenticate
from edge_api.middleware.csrf import SameSite
from edge_api.middleware.request_limits import InFlightLimit, SizeLimits
from edge_api.middleware.telemetry import Observe
from edge_api.routes import docs, events, health, notifications, session, tasks
from edge_api.routes.health import Draining
from edge_api.settings import EdgeSettings
from edge_api.sse.live import Live
from edge_api.upstreams import Upstreams

_ABOUT = (
    "Tasks and notifications of the calling user. Every error is application/problem+json. "
    "Requests are taken strictly: a field or parameter that is not documented is refused."
)


def build(
    settings: EdgeSettings,
    tokens: MeshTokens,
    upstreams: Upstreams,
    live: Live,
    draining: Draining,
    registry: CollectorRegistry,
    tracer: trace.Tracer,
) -> ASGIApp:
    """The whole application, ready to be served."""
    app: ASGIApp = routes(upstreams, live, draining)
    app = SameSite(app, settings.origins)
    app = Authenticate(app, tokens)
    app = SizeLimits(app)
    app = InFlightLimit(app, settings.max_in_flight)
    app = LastResort(app)
    return Observe(app, HttpMetrics(registry), tracer, settings.call_timeout_seconds)


def routes(upstreams: Upstreams, live: Live, draining: Draining) -> FastAPI:
    """The API without the layers around it."""
    app = FastAPI(
        title="Taskmesh",
        version="1",
        description=_ABOUT,
        openapi_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
        generate_unique_id_function=lambda route: route.name,
    )
    handle_errors(app)
    app.include_router(tasks.router(upstreams.tasks))
    app.include_router(notifications.router(upstreams.notifications))
    app.include_router(events.router(live))
    app.include_router(session.router())
    app.include_router(docs.router(docs.document(app)))
    app.include_router(health.router(upstreams, draining))
    return app
