"""The exception handlers of FastAPI: convert each error to a problem document (RFC 9457)."""

from collections.abc import Mapping, Sequence
from typing import Any

import grpc
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from chassis.errors import InvalidInput, ServiceError, Violation
from edge_api import problems
from edge_api.schemas import convert

_log = structlog.get_logger("http")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_MOST_VIOLATIONS = 20
_LONGEST_NAME = 100


def handle_errors(app: FastAPI) -> None:
    """Install the handlers, so that the response to every error is a problem document."""
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(ServiceError, _on_service_error)
    app.add_exception_handler(grpc.aio.AioRpcError, _on_grpc)
    app.add_exception_handler(Exception, _on_unexpected)


async def _on_http(request: Request, error: Any) -> Response:
    problem = problems.of_http(error)
    response = problem.response()
    if problem.status == 405:
        response.headers["Allow"] = _allowed(request)
    return response


async def _on_validation(_request: Request, error: Any) -> Response:
    violations = [_violation(each) for each in error.errors()[:_MOST_VIOLATIONS]]
    return problems.of_service_error(InvalidInput(*violations)).response()


async def _on_service_error(_request: Request, error: Any) -> Response:
    return problems.of_service_error(error).response()


async def _on_grpc(_request: Request, error: Any) -> Response:
    problem = problems.of_grpc(error)
    if problem.status >= 500:
        _log.warning("call failed", code=error.code().name, error=error.details())
    return problem.response()


async def _on_unexpected(_request: Request, _error: Any) -> Response:
    return problems.internal().response()


def _allowed(request: Request) -> str:
    # The framework lists only the methods of the first route at this path.
    def answers(method: str) -> bool:
        scope = {**request.scope, "method": "GET" if method == "HEAD" else method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    return ", ".join(method for method in _METHODS if answers(method))


def _violation(error: Mapping[str, Any]) -> Violation:
    location: Sequence[str | int] = error["loc"][1:]
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    return Violation(name[:_LONGEST_NAME], _description(error, location))


def _description(error: Mapping[str, Any], location: Sequence[str | int]) -> str:
    if error["type"] == "extra_forbidden":
        return "is set by the service" if location[-1] in convert.SET_BY_SERVICE else "is unknown"
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return message[:1].lower() + message[1:]
