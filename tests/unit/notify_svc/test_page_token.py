import base64

import pytest

from chassis.errors import InvalidInput
from notify_svc.grpc_api.page_token import Cursor, decode, encode

POSITION = Cursor(1_795_000_000_000, "01JD0000000000000000000001:1:created")


def test_a_token_leads_back_to_its_position() -> None:
    assert decode("ann", encode("ann", POSITION)) == POSITION


def test_another_users_token_is_refused() -> None:
    with pytest.raises(InvalidInput) as refusal:
        decode("bob", encode("ann", POSITION))
    assert refusal.value.reason == "INVALID_PAGE_TOKEN"


def test_a_token_with_any_byte_changed_is_refused() -> None:
    token = encode("ann", POSITION)
    data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for index in range(len(data)):
        bent = data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :]
        with pytest.raises(InvalidInput):
            decode("ann", base64.urlsafe_b64encode(bent).decode().rstrip("="))
