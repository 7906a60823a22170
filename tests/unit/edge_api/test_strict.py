"""Strict parsing of JSON."""

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
def test_valid_json_is_parsed_unchanged(value: Any, escaped: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=escaped).encode()) == value


@given(st.binary())
def test_invalid_json_is_refused_with_400_only(body: bytes) -> None:
    with suppress(HttpError):
        parse_json(body)


def test_a_duplicate_name_is_refused_at_any_depth() -> None:
    with pytest.raises(HttpError, match="400"):
        parse_json(b'{"a": [{"b": 1, "b": 1}]}')


@pytest.mark.parametrize(
    "body",
    [b"[" * 20_000 + b"]" * 20_000, b'{"a":' * 20_000, b"9" * 10_000, b"[" + b"1," * 100_000 + b"1]"],
    ids=["arrays", "objects", "digits", "elements"],
)
def test_hostile_json_is_parsed_quickly(body: bytes) -> None:
    begun = time.process_time()
    with suppress(HttpError):
        parse_json(body)
    assert time.process_time() - begun < 0.5


def test_a_number_beyond_the_range_of_floats_is_parsed() -> None:
    assert parse_json(b"1e999") == math.inf
