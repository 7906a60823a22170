"""Reads JSON as RFC 8259 means it: what two parsers could understand in two ways is refused."""

import json
from typing import Any, NoReturn

from edge_api.problems import Refused


def parse(body: bytes) -> Any:
    """The value of a request's body.

    Raises Refused with 400 for what is no JSON, for NaN and Infinity, for a name that comes twice in an object, for
    text that is not Unicode, for numbers of thousands of digits and for nesting deeper than the interpreter goes.
    """
    if not body:
        raise _malformed("the body is empty")
    try:
        value = json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()  # fails on half a surrogate pair, which no service could store
    except json.JSONDecodeError as error:
        raise _malformed(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except UnicodeError:
        raise _malformed("it is not Unicode text in UTF-8") from None
    except RecursionError:
        raise _malformed("it is nested too deep") from None
    except ValueError as error:
        raise _malformed(str(error) if isinstance(error, _Ambiguous) else "a number is too long") from None
    return value


class _Ambiguous(ValueError):
    """JSON whose meaning is not fixed."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        msg = "a name comes twice in an object"
        raise _Ambiguous(msg)
    return value


def _no_constant(name: str) -> NoReturn:
    msg = f"{name} is not JSON"
    raise _Ambiguous(msg)


def _malformed(why: str) -> Refused:
    return Refused(400, "MALFORMED_JSON", f"The body cannot be read as JSON: {why}.")
