from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_svc.domain import Kind, Reason
from notify_svc.events.decode import InvalidEvent, decode, is_event_id, readable_id
from tests.support.notify_svc.task_events import changed, created, entry


def test_a_created_task_becomes_a_notification_of_its_owner() -> None:
    notification = decode(entry(created(1, owner="ann", title="Milch")))
    assert notification is not None
    assert (notification.id, notification.kind) == (created(1).event_id, Kind.TASK_CREATED)
    assert (notification.owner, notification.title) == ("ann", "Milch")


def test_a_change_causes_no_notification() -> None:
    assert decode(entry(changed(1))) is None


@pytest.mark.parametrize("owner", ["a b", "x" * 65, "a\nb", "ä"])
def test_an_owner_that_is_not_a_valid_username_is_rejected(owner: str) -> None:
    with pytest.raises(InvalidEvent) as invalid:
        decode(entry(created(1, owner=owner)))
    assert invalid.value.reason is Reason.MALFORMED


def test_a_newer_schema_version_is_reported_before_other_errors() -> None:
    event = created(1)
    event.schema_version = 2
    event.type = 77  # type: ignore[assignment]
    with pytest.raises(InvalidEvent) as invalid:
        decode(entry(event))
    assert invalid.value.reason is Reason.UNKNOWN_VERSION


@pytest.mark.parametrize("text", ["", "x", "01JD:1:created", "01JD0000000000000000000001:0:created", "\x00" * 40])
def test_text_that_is_not_an_event_id_is_rejected(text: str) -> None:
    assert not is_event_id(text)
    assert readable_id({b"id": text.encode()}) == ""


@given(st.dictionaries(st.sampled_from([b"id", b"event", b"x"]), st.binary(max_size=200)))
def test_any_stream_entry_is_a_notification_or_an_invalid_event(fields: dict[bytes, bytes]) -> None:
    with suppress(InvalidEvent):
        decode(fields)
