"""Event ids of the outbox."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from task_svc.outbox import EventId, Slot

TASK_ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@given(st.integers(0, 10**17), st.sampled_from(Slot))
def test_an_event_id_parses_back(revision: int, slot: Slot) -> None:
    event_id = EventId(TASK_ID, revision, slot)
    assert EventId.parse(str(event_id)) == event_id


@pytest.mark.parametrize(
    "text", ["", ":", "a:b:created", "a:1:nosuch", "a:1", "a:-1:due", "a:²:due", "a:" + "9" * 99 + ":due"]
)
def test_an_invalid_event_id_parses_to_none(text: str) -> None:
    assert EventId.parse(text) is None


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    parsed = EventId.parse(text)
    assert parsed is None or EventId.parse(str(parsed)) == parsed
