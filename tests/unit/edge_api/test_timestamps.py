"""Parsing of RFC 3339 timestamps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_api.schemas import timestamps


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2027-01-31T12:00:00Z", "2027-01-31T12:00:00Z"),
        ("2027-01-31t12:00:00z", "2027-01-31T12:00:00Z"),
        ("2027-01-31T12:00:00+01:00", "2027-01-31T11:00:00Z"),
        ("2027-01-31T12:00:00-23:59", "2027-02-01T11:59:00Z"),
        ("2027-01-31T12:00:00+0100", "2027-01-31T11:00:00Z"),
        ("2027-01-31T12:00:00.1Z", "2027-01-31T12:00:00.100Z"),
        ("2027-01-31T12:00:00.123456Z", "2027-01-31T12:00:00.123456Z"),
        ("2027-01-31T12:00:00.1234567899Z", "2027-01-31T12:00:00.123456789Z"),
        ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
    ],
)
def test_a_time_is_converted_to_utc(text: str, utc: str) -> None:
    assert timestamps.parse(text).ToJsonString() == utc


@pytest.mark.parametrize("value", [None, 1893456000, 1.5, True, [], {}, b"2027-01-31T12:00:00Z"])
def test_a_value_that_is_not_text_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="RFC 3339"):
        timestamps.parse(value)


@given(st.datetimes().map(lambda at: at.isoformat(timespec="microseconds") + "Z"))
def test_every_valid_time_round_trips(text: str) -> None:
    parsed = timestamps.parse(text)
    assert timestamps.parse(parsed.ToJsonString()) == parsed


@given(st.text())
def test_any_other_text_is_refused_with_a_value_error_only(text: str) -> None:
    try:
        timestamps.parse(text)
    except ValueError:
        return
