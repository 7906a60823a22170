"""Page tokens."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from chassis.errors import InvalidInput
from task_svc.grpc_api import page_token
from task_svc.repository import Cursor

POSITIONS = st.builds(
    Cursor, st.integers(-(2**63), 2**63 - 1), st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", max_size=26)
)


@given(POSITIONS, st.text(), st.binary())
def test_a_token_decodes_to_its_position(position: Cursor, owner: str, arguments: bytes) -> None:
    assert page_token.decode(page_token.encode(position, owner, arguments), owner, arguments) == position


@given(st.text())
def test_text_that_is_not_a_token_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        page_token.decode(text, "ann", b"")
    assert refusal.value.reason == "INVALID_PAGE_TOKEN"


@given(POSITIONS, st.integers(0, 40), st.sampled_from("ABab01-_"))
def test_a_token_with_a_changed_letter_is_refused(position: Cursor, at: int, letter: str) -> None:
    token = page_token.encode(position, "ann", b"x")
    changed = token[:at] + letter + token[at + 1 :]
    if changed == token:
        return
    with pytest.raises(InvalidInput) as refusal:
        page_token.decode(changed, "ann", b"x")
    assert refusal.value.reason == "INVALID_PAGE_TOKEN"


def test_owner_and_arguments_cannot_be_shifted_into_each_other() -> None:
    token = page_token.encode(Cursor(1, "x"), "ann", b"bob")
    with pytest.raises(InvalidInput):
        page_token.decode(token, "annb", b"ob")
