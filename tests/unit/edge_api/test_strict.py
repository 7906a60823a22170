"""JSON without two meanings."""

import json
import math
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_api.problems import HttpError
from edge_api.routes.strict import parse_json

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_VALUES, st.booleans())
def test_plain_json_is_read_as_it_was_written(value: Any, escaped: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=escaped).encode()) == value


@given(st.binary())
def test_anything_else_is_refused_and_never_fails_otherwise(body: bytes) -> None:
    with suppress(HttpError):
        parse_json(body)


def test_a_name_that_comes_twice_is_refused_however_deep() -> None:
    with pytest.raises(HttpError, match="400"):
        parse_json(b'{"a": [{"b": 1, "b": 1}]}')


@pytest.mark.parametrize(
    "body",
    [b"[" * 20_000 + b"]" * 20_000, b'{"a":' * 20_000, b"9" * 10_000, b"[" + b"1," * 100_000 + b"1]"],
    ids=["arrays", "objects", "digits", "elements"],
)
def test_hostile_json_costs_no_time(body: bytes) -> None:
    begun = time.process_time()
    with suppress(HttpError):
        parse_json(body)
    assert time.process_time() - begun < 0.5


def test_a_number_beyond_all_floats_is_no_failure() -> None:
    assert parse_json(b"1e999") == math.inf
