import base64

import pytest

from chassis import page_tokens
from chassis.errors import InvalidInput
from notify_svc.domain import Cursor
from notify_svc.grpc_api.page_token import decode, encode

CURSOR = Cursor(1_795_000_000_000, "01JD0000000000000000000001:1:created")


@pytest.mark.parametrize("owner", ["ann", None])
def test_a_token_decodes_to_its_cursor(owner: str | None) -> None:
    assert decode(encode(CURSOR, owner), owner) == CURSOR


@pytest.mark.parametrize("owner", ["bob", None])
def test_a_token_of_another_users_inbox_is_refused(owner: str | None) -> None:
    with pytest.raises(InvalidInput) as refusal:
        decode(encode(CURSOR, "ann"), owner)
    assert refusal.value.reason == "INVALID_PAGE_TOKEN"


def test_a_token_with_any_byte_changed_is_refused() -> None:
    token = encode(CURSOR, "ann")
    data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for index in range(len(data)):
        bent = data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :]
        with pytest.raises(InvalidInput):
            decode(base64.urlsafe_b64encode(bent).decode().rstrip("="), "ann")


@pytest.mark.parametrize("cursor", [b"", b"1", b"1 ", b"-1 1-1", b"1e9 1-1", b"1 a b", b"1 \n", b"1 " + b"x" * 201])
def test_a_token_with_a_valid_checksum_and_no_cursor_is_refused(cursor: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode(page_tokens.encode(cursor, b"ann"), "ann")
