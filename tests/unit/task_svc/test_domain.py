"""The rules of tasks, without a store."""

from dataclasses import replace
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


def test_a_clock_that_was_set_back_does_not_put_a_time_before_the_creation() -> None:
    earlier = START - timedelta(hours=1)
    done = domain.update(new_task(), TaskFields(title="x", status=Status.DONE), "", earlier)
    assert done.complete_time == START
    assert domain.delete(new_task(), "", earlier).delete_time == START


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


def test_a_refusal_of_a_length_states_the_count_and_the_limit_and_that_an_emoji_can_be_several() -> None:
    family = "👨‍👩‍👧‍👦"
    TaskFields(title=family * 28).check()
    with pytest.raises(InvalidInput, match=r"at most 200 characters .*has 203; one emoji can be several"):
        TaskFields(title=family * 29).check()
    with pytest.raises(InvalidInput, match="at most 20 labels, and has 21"):
        TaskFields(title="x", labels=tuple(str(number) for number in range(21))).check()


@pytest.mark.parametrize(
    "text", ["", " ", "\u200b", "\u3164", "\u2800", "\ufeff", "\u00ad", "\u2067\u2069", "\U000e0041"]
)
def test_a_title_and_a_label_have_something_visible(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        TaskFields(title=text, labels=(text,)).check()
    assert [violation.field for violation in refused.value.violations] == ["task.title", "task.labels[0]"]


@pytest.mark.parametrize("separator", ["\n", "\r", "\v", "\f", "\t", "\x1c", "\x85", "\u2028", "\u2029"])
def test_a_title_and_a_label_are_one_line(separator: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        TaskFields(title=f"a{separator}b", labels=(f"a{separator}b",)).check()
    found = [(violation.field, violation.description.rpartition(" has ")[2]) for violation in refused.value.violations]
    named = f"U+{ord(separator):04X} at character 2"
    assert found == [("task.title", named), ("task.labels[0]", named)]


def test_a_description_may_have_separators_of_lines_and_paragraphs() -> None:
    TaskFields(title="x", description="a\n\u2028b\u2029c").check()


def test_labels_are_stored_in_one_form_and_compared_in_it() -> None:
    composed, decomposed = "Caf\u00e9", "Cafe\u0301"
    assert TaskFields(title="x", labels=(decomposed,)).labels == (composed,)
    with pytest.raises(InvalidInput, match="must not repeat another label"):
        TaskFields(title="x", labels=(composed, decomposed)).check()


def test_a_field_that_an_earlier_release_accepted_does_not_prevent_other_changes() -> None:
    fields = TaskFields(title="\u200b", labels=("\u3164",))
    task = replace(new_task(), fields=fields)

    assert domain.update(task, replace(fields, status=Status.DONE), "", LATER).fields.status is Status.DONE
    with pytest.raises(InvalidInput, match=r"task\.title") as refused:
        domain.update(task, replace(fields, title="\u2800"), "", LATER)
    assert len(refused.value.violations) == 1
