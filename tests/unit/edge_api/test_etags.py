"""Parsing of entity tags (RFC 9110)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidInput
from edge_api.schemas import etags


@given(st.text("!#$%&'()*+,-./0123456789:;<=>?@ABCxyz[]^_`{|}~", min_size=1))
def test_a_quoted_etag_round_trips(etag: str) -> None:
    assert etags.condition(f'"{etag}"') == etag
    assert etags.none_match(f'"{etag}"', etag)
    assert etags.none_match(f'"x y", W/"{etag}"', etag)


@pytest.mark.parametrize("header", [None, "*"])
def test_no_header_and_a_star_mean_no_condition(header: str | None) -> None:
    assert etags.condition(header) == ""


@pytest.mark.parametrize("header", ["", '""', "r1", 'W/"r1"', '"r1","r2"', '"r1', '"r 1"', '"r1" ', "*, *", '"\u00e9"'])
def test_anything_except_one_strong_etag_is_refused(header: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        etags.condition(header)
    assert caught.value.violations[0].field == "If-Match"


@pytest.mark.parametrize("header", [None, "", "r1", '"r2"', '"r1x"', '"xr1"', 'W/"r2", "r3"'])
def test_another_etag_does_not_match(header: str | None) -> None:
    assert not etags.none_match(header, "r1")
