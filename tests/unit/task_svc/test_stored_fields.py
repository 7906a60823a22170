"""Stored fields are read back, including those of tasks that an older release stored without newer fields."""

from dataclasses import MISSING, fields

import pytest

from task_svc.domain import Task, TaskFields
from task_svc.repository import from_stored, to_stored
from tests.support.task_svc.tasks import FIELDS, another, new_task


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_is_read_back(field: str) -> None:
    task = new_task(**another(field))
    assert from_stored(to_stored(task)) == task


@pytest.mark.parametrize(
    "field", [each.name for kind in (Task, TaskFields) for each in fields(kind) if each.default is not MISSING]
)
def test_a_missing_or_null_field_has_its_default(field: str) -> None:
    task = new_task()
    values = to_stored(task)
    del values[field]
    assert from_stored(values) == from_stored({**values, field: None}) == task
