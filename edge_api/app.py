"""Build the application: the routes of FastAPI, wrapped in pure ASGI middleware.

A request passes Telemetry → InFlightLimit → SizeLimits → Authenticate → CsrfProtection → HeadAsGet → FastAPI.
"""

from fastapi import FastAPI
from opentelemetry import trace
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from chassis.identity import MeshTokens
from edge_api.exception_handlers import handle_errors
from edge_api.middleware.auth import Authenticate, CsrfProtection
from edge_api.middleware.head import HeadAsGet
from edge_api.middleware.request_limits import InFlightLimit, SizeLimits
from edge_api.middleware.telemetry import HttpMetrics, Telemetry
from edge_api.routes import docs, events, health, notifications, session, tasks
from edge_api.routes.health import Draining
from edge_api.settings import EdgeSettings
from edge_api.sse.live import Live
from edge_api.upstreams import Upstreams

_DESCRIPTION = (
    "Tasks and notifications of the calling user. Every error is an application/problem+json document (RFC 9457). "
    "Requests are validated strictly: a field or parameter that is not documented is rejected."
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
    """Return the complete application."""
    api = routes(upstreams, live, draining)
    app: ASGIApp = HeadAsGet(api)
    app = CsrfProtection(app, settings.origins)
    app = Authenticate(app, tokens)
    app = SizeLimits(app)
    app = InFlightLimit(app, settings.max_in_flight)
    metrics = HttpMetrics(registry, api.state.openapi["paths"])
    return Telemetry(app, metrics, tracer, settings.call_timeout_seconds)


def routes(upstreams: Upstreams, live: Live, draining: Draining) -> FastAPI:
    """Return the API without its middleware."""
    app = FastAPI(
        title="Taskmesh",
        version="1",
        description=_DESCRIPTION,
        openapi_url=None,
        redirect_slashes=False,
        # Off, because the middleware Telemetry records spans, metrics and logs.
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    handle_errors(app)
    # Not `include_router`, with which FastAPI searches the route of each request twice.
    app.router.routes += [
        *tasks.router(upstreams.tasks).routes,
        *notifications.router(upstreams.notifications).routes,
        *events.router(live).routes,
        *session.router().routes,
    ]
    app.state.openapi = docs.document(app)
    app.router.routes += [*docs.router(app.state.openapi).routes, *health.router(upstreams, draining).routes]
    return app
