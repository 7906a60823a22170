"""The route class of the API: rejects every request that two parsers could interpret differently.

Bodies are parsed strictly by RFC 8259.
"""

import email.message
import json
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, NoReturn

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from chassis.errors import InvalidInput, Violation
from edge_api.problems import HttpError

JSON, MERGE_PATCH = "application/json", "application/merge-patch+json"

_REPEATABLE = frozenset({"statuses", "priorities", "labels"})
_SINGLE_HEADERS = frozenset({"content-type", "idempotency-key", "if-match", "last-event-id"})
_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRequest(Request):
    """A request whose JSON is parsed strictly."""

    async def json(self) -> Any:
        """Return the parsed body. Raises HttpError with 400 if it is not valid JSON."""
        return parse_json(await self.body())


class StrictRoute(APIRoute):
    """Rejects repeated headers and parameters, and bodies that are not JSON."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Do not match ids with a colon, which starts a custom method such as `{id}:undelete` (AIP-136)."""
        match, child_scope = super().matches(scope)
        if any(":" in str(value) for value in child_scope.get("path_params", {}).values()):
            return Match.NONE, {}
        return match, child_scope

    def get_route_handler(self) -> _Handler:
        """Return FastAPI's handler, preceded by the checks."""
        handle = super().get_route_handler()
        accepted = (JSON, MERGE_PATCH) if "PATCH" in (self.methods or ()) else (JSON,)

        async def checked(request: Request) -> Response:
            _refuse_repeats(request)
            strict = StrictRequest(request.scope, request.receive)
            if self.body_field is not None:
                _check_media_type(request, accepted)
                await _refuse_empty(strict)
            return await handle(strict)

        return checked


def _refuse_repeats(request: Request) -> None:
    parameters = (name for name, _ in request.query_params.multi_items() if name not in _REPEATABLE)
    headers = (name.title() for name in request.headers if name in _SINGLE_HEADERS)
    repeated = [*_repeated(parameters), *_repeated(headers)]
    if repeated:
        raise InvalidInput(*(Violation(name[:100], "must not be repeated") for name in repeated[:20]))


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _check_media_type(request: Request, accepted: tuple[str, ...]) -> None:
    header = email.message.Message()
    header["content-type"] = request.headers.get("content-type", "")
    if header.get_content_type() not in accepted or header.get_content_charset("utf-8") != "utf-8":
        raise HttpError(415, "UNSUPPORTED_MEDIA_TYPE", f"The body must be {' or '.join(accepted)}, in UTF-8.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HttpError(415, "UNSUPPORTED_CONTENT_ENCODING", "The body must not be compressed.")


async def _refuse_empty(request: StrictRequest) -> None:
    # FastAPI would treat an empty body as a missing one.
    if not await request.body():
        await request.json()


def parse_json(body: bytes) -> Any:
    """Parse a request's body.

    Raises HttpError with 400 for invalid JSON, NaN and Infinity, a duplicate name in an object, text that is not valid
    Unicode, numbers with thousands of digits, and nesting beyond the recursion limit.
    """
    if not body:
        raise _malformed("the body is empty")
    try:
        value = json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()  # fails on a lone surrogate, which no service can store
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
