"""The route class of the API: rejects every request that two parsers could interpret differently.

Bodies are parsed strictly by RFC 8259.
"""

import email.message
import json
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from functools import lru_cache
from typing import Any, NoReturn, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from chassis.errors import InvalidInput, Violation
from edge_api.problems import HttpError
from edge_api.routes.arguments import REPEATABLE, Arguments

JSON, MERGE_PATCH = "application/json", "application/merge-patch+json"

_SINGLE_HEADERS = frozenset({b"content-type", b"idempotency-key", b"if-match", b"last-event-id"})

T = TypeVar("T")
_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRoute(APIRoute):
    """Rejects repeated headers and parameters, and bodies that are not JSON."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        handle = self.get_route_handler()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            response = await handle(Request(scope, receive, send))
            await response(scope, receive, send)

        self.app = app  # FastAPI's enters two exit stacks, which only dependencies need

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Do not match ids with a colon, which starts a custom method such as `{id}:undelete` (AIP-136)."""
        match, child_scope = super().matches(scope)
        if match is not Match.NONE and any(":" in value for value in child_scope["path_params"].values()):
            return Match.NONE, {}
        return match, child_scope

    def get_route_handler(self) -> _Handler:
        """Return the handler: it makes the checks, and calls the endpoint, which returns the response."""
        accepted = (JSON, MERGE_PATCH) if "PATCH" in (self.methods or ()) else (JSON,)
        arguments, endpoint, has_body = Arguments(self.dependant), self.endpoint, self.body_field is not None

        async def handle(request: Request) -> Response:
            _refuse_repeats(request)
            body = None
            if has_body:
                _check_media_type(request, accepted)
                body = parse_json(await _received(request))
            response: Response = await endpoint(**arguments.of(request, body))
            return response

        return handle


def strict_router(tag: str) -> APIRouter:
    """Return a router of strict routes with this tag; each operation's id is the name of its endpoint."""
    return APIRouter(tags=[tag], route_class=StrictRoute, generate_unique_id_function=lambda route: route.name)


def _refuse_repeats(request: Request) -> None:
    scope = request.scope
    headers = [name for name, _ in scope["headers"] if name in _SINGLE_HEADERS]
    repeated = [name.decode().title() for name in _repeated(headers)]
    if scope["query_string"]:
        parameters = [name for name, _ in request.query_params.multi_items() if name not in REPEATABLE]
        repeated = [*_repeated(parameters), *repeated]
    if repeated:
        raise InvalidInput(*(Violation(name[:100], "must not be repeated") for name in repeated[:20]))


def _repeated(names: Sequence[T]) -> list[T]:
    if len(names) == len(set(names)):
        return []
    return [name for name, count in Counter(names).items() if count > 1]


def _check_media_type(request: Request, accepted: tuple[str, ...]) -> None:
    if _media_type(request.headers.get("content-type", "")) not in accepted:
        raise HttpError(415, "UNSUPPORTED_MEDIA_TYPE", f"The body must be {' or '.join(accepted)}, in UTF-8.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HttpError(415, "UNSUPPORTED_CONTENT_ENCODING", "The body must not be compressed.")


@lru_cache(maxsize=64)
def _media_type(content_type: str) -> str:
    """Return the media type in lower case; empty if its charset is not UTF-8."""
    header = email.message.Message()
    header["content-type"] = content_type
    return header.get_content_type() if header.get_content_charset("utf-8") == "utf-8" else ""


async def _received(request: Request) -> bytes:
    try:
        return await request.body()
    except ClientDisconnect:
        raise HttpError(400, "INCOMPLETE_BODY", "The connection ended before the body was complete.") from None


def parse_json(body: bytes) -> Any:
    """Parse a request's body.

    Raises HttpError with 400 for invalid JSON, NaN and Infinity, a duplicate name in an object, text that is not valid
    Unicode, numbers with thousands of digits, and nesting beyond the recursion limit.
    """
    if not body:
        raise _malformed("the body is empty")
    try:
        text = body.decode()
        value = _decoder.decode(text)
        if "\\u" in text:  # only an escape can be a lone surrogate, which no service can store
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise _malformed(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except UnicodeError:
        raise _malformed("it is not valid Unicode in UTF-8") from None
    except RecursionError:
        raise _malformed("it is nested too deeply") from None
    except ValueError as error:
        raise _malformed(str(error) if isinstance(error, _Ambiguous) else "a number is too long") from None
    return value


class _Ambiguous(ValueError):
    """JSON that parsers interpret differently."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        msg = "an object has a duplicate name"
        raise _Ambiguous(msg)
    return value


def _no_constant(name: str) -> NoReturn:
    msg = f"{name} is not JSON"
    raise _Ambiguous(msg)


def _malformed(why: str) -> HttpError:
    return HttpError(400, "MALFORMED_JSON", f"The body cannot be parsed as JSON: {why}.")


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)
