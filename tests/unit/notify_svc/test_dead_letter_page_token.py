import pytest

from chassis import page_tokens
from chassis.errors import InvalidInput
from notify_svc.grpc_api import page_token
from notify_svc.grpc_api.dead_letter_page_token import Place, decode, encode

PLACE = Place(1_795_000_000_000, "1795000000000-12/console")


def test_a_token_leads_back_to_its_place() -> None:
    assert decode(encode(PLACE)) == PLACE


def test_a_token_of_an_inbox_is_refused() -> None:
    with pytest.raises(InvalidInput):
        decode(page_token.encode("ann", page_token.Cursor(1, "01JD0000000000000000000001:1:created")))


@pytest.mark.parametrize("place", [b"", b"1", b"1 ", b"-1 1-1", b"1e9 1-1", b"1 a b", b"1 \n", b"1 " + b"x" * 201])
def test_a_token_that_was_made_with_a_checksum_but_names_no_place_is_refused(place: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode(page_tokens.encode(place, b"dead letters"))
