"""The documents of tasks, and their sort keys."""

from datetime import UTC, datetime

import hypothesis.strategies as st
from hypothesis import given

from task_svc.domain import Priority, Status
from task_svc.mongo.documents import cursor_of, order_key, to_document, to_task
from task_svc.repository import NEVER_DUE, Cursor
from tests.support.task_svc.tasks import creation, new_task

POSITIONS = st.builds(Cursor, st.integers(-1, NEVER_DUE), st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=26))


@given(POSITIONS, POSITIONS)
def test_keys_sort_as_positions_do(one: Cursor, other: Cursor) -> None:
    assert (order_key(one) < order_key(other)) == ((one.value, one.id) < (other.value, other.id))


@given(POSITIONS)
def test_a_key_decodes_to_its_position(position: Cursor) -> None:
    assert cursor_of(order_key(position)) == position


def test_a_document_contains_all_fields_of_its_task() -> None:
    task = new_task(
        description="a\nb",
        status=Status.DONE,
        priority=Priority.URGENT,
        labels=("b", "a"),
        due_time=datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    )
    assert to_task(to_document(creation(task))) == task


def test_text_of_a_user_is_stored_only_as_a_value() -> None:
    task = new_task("$where", title="$set", description="{'$ne': 1}", labels=("outbox.created", "$ne"))
    document = to_document(creation(task, "$gt"))
    assert all(name.isidentifier() for name in document)
    assert (document["owner"], document["request_id"], document["labels"]) == (
        "$where",
        "$gt",
        ["outbox.created", "$ne"],
    )
