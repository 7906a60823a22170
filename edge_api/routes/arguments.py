"""Reads the arguments of an endpoint from a request.

FastAPI derives parameters, validation and documentation from the endpoint's signature, as for any endpoint. But it
solves the dependencies of every request anew, which costs more than the call of the service. The endpoints of this API
have no dependencies, so what is known in advance is prepared once per route.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request

REPEATABLE = frozenset({"statuses", "priorities", "labels"})
"""The query parameters that are lists."""

_Read = Callable[[Request, Any], Any]


class Arguments:
    """The arguments of one endpoint: path parameters, optional headers, one model of the query string, one body."""

    def __init__(self, dependant: Dependant) -> None:
        if dependant.dependencies or dependant.cookie_params or dependant.response_param_name:
            msg = f"{dependant.call} has parameters that `Arguments` does not support"
            raise TypeError(msg)
        self._parameters = [
            *((field, ("path", field.alias), _path(field.alias)) for field in dependant.path_params),
            *((field, ("query",), _query) for field in dependant.query_params),
            *((field, ("header", field.alias), _header(field.alias)) for field in dependant.header_params),
            *((field, ("body",), _body) for field in dependant.body_params),
        ]

    def of(self, request: Request, body: Any) -> dict[str, Any]:
        """Return the arguments by name; `body` is the parsed body. Raises RequestValidationError with all errors."""
        arguments: dict[str, Any] = {}
        errors: list[Any] = []
        for field, location, read in self._parameters:
            value, found = field.validate(read(request, body), arguments, loc=location)
            arguments[field.name] = value
            errors += found or ()
        if errors:
            raise RequestValidationError(errors)
        return arguments


def _path(name: str) -> _Read:
    return lambda request, _body: request.path_params[name]


def _header(name: str) -> _Read:
    return lambda request, _body: request.headers.get(name)


def _query(request: Request, _body: Any) -> dict[str, Any]:
    if not request.scope["query_string"]:
        return {}
    lists = defaultdict[str, list[str]](list)
    for name, value in request.query_params.multi_items():
        lists[name].append(value)
    return {name: values if name in REPEATABLE else values[0] for name, values in lists.items()}


def _body(_request: Request, body: Any) -> Any:
    return body
