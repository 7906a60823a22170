"""The rules of tasks, without a store."""

from datetime import timedelta

import pytest

from chassis.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from task_svc import domain
from task_svc.domain import Status, TaskFields
from tests.support.task_svc.tasks import START, new_task, written

LATER = START + timedelta(hours=1)


def test_an_update_increases_the_revision_and_sets_update_time() -> None:
    changed = domain.update(new_task(), TaskFields(title="Buy bread"), "", LATER)

    assert (changed.revision, changed.etag, changed.update_time) == (2, "r2", LATER)
    assert changed.create_time == START


def test_an_update_without_a_change_returns_the_same_task() -> None:
    task = new_task()
    assert domain.update(task, task.fields, "r1", LATER) is task


def test_a_clock_that_was_set_back_does_not_make_a_task_older() -> None:
    task = written(new_task(), later=3600)
    assert domain.update(task, TaskFields(title="Buy bread"), "", START).update_time == task.update_time


def test_an_etag_is_checked_even_when_nothing_would_change() -> None:
    task = new_task()
    with pytest.raises(Conflict):
        domain.update(task, task.fields, "r7", LATER)


def test_a_deleted_task_cannot_be_updated_or_deleted_again() -> None:
    deleted = domain.delete(new_task(), "", LATER)
    with pytest.raises(NotFound):
        domain.update(deleted, TaskFields(title="Buy bread"), "", LATER)
    with pytest.raises(NotFound):
        domain.delete(deleted, "", LATER)


def test_only_deleted_tasks_can_be_undeleted() -> None:
    task = new_task()
    assert domain.undelete(domain.delete(task, "", LATER), LATER).delete_time is None
    with pytest.raises(AlreadyExists):
        domain.undelete(task, LATER)


def test_completion_follows_the_status() -> None:
    done = domain.create(new_task().id, "ann", TaskFields(title="x", status=Status.DONE), START)
    assert done.complete_time == START
    assert domain.update(done, TaskFields(title="x"), "", LATER).complete_time is None


def test_a_limit_is_counted_in_characters_not_bytes() -> None:
    TaskFields(title="🥛" * domain.TITLE_MAX, labels=("🏷" * domain.LABEL_MAX,)).check()
    with pytest.raises(InvalidInput):
        TaskFields(title="🥛" * (domain.TITLE_MAX + 1)).check()
