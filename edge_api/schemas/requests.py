"""What clients send: bodies and query strings. No unknown names, no types but the right ones."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from edge_api.schemas import limits
from edge_api.schemas.fields import (
    Description,
    Flag,
    Label,
    Labels,
    Number,
    Order,
    Priority,
    SearchText,
    Status,
    Time,
    Title,
)

_PAGE_SIZE = Field(
    0,
    description=f"How many a page holds at most: 0 stands for {limits.PAGE_SIZE_DEFAULT}, "
    f"more than {limits.PAGE_SIZE_MAX} for {limits.PAGE_SIZE_MAX}. A page may hold fewer, and still not be the last.",
    json_schema_extra={"minimum": 0},
)
_PAGE_TOKEN = Field("", description="Where to go on: a next_page_token, with all other parameters as they were.")


def _without_defaults(*examples: JsonValue) -> Callable[[dict[str, Any]], None]:
    # Some generators take a field with a default for a required one; in a patch, an omitted field has no default.
    def document(schema: dict[str, Any]) -> None:
        for documented in schema["properties"].values():
            documented.pop("default", None)
        schema["examples"] = list(examples)

    return document


class _Request(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", arbitrary_types_allowed=True)


class NewTask(_Request):
    """A task to be created."""

    model_config = ConfigDict(
        json_schema_extra=_without_defaults(
            {"title": "Buy milk", "labels": ["home"], "due_time": "2027-01-31T12:00:00Z"}
        )
    )

    title: Title = Field(description="What is to be done; not blank, no control characters.")
    description: Description = Field("", description="The details; of control characters tab, LF and CR are allowed.")
    status: Status = Field("TODO", description="How far it is; TODO if it is omitted.")
    priority: Priority = Field("MEDIUM", description="How much it matters; MEDIUM if it is omitted.")
    labels: Labels = Field([], description="Words to find it by; all different.")
    due_time: Time | None = Field(None, description="When it is to be done, in the years 1970 to 9999; null for never.")


class TaskPatch(_Request):
    """A JSON merge patch (RFC 7396) of a task: what is named is changed, null clears it."""

    model_config = ConfigDict(json_schema_extra=_without_defaults({"status": "DONE"}, {"due_time": None, "labels": []}))

    title: Title = Field("", description="What is to be done.")
    description: Description | None = Field("", description="The details; null for none.")
    status: Status = Field("TODO", description="How far it is.")
    priority: Priority = Field("MEDIUM", description="How much it matters.")
    labels: Labels | None = Field(None, description="Words to find it by; null for none.")
    due_time: Time | None = Field(None, description="When it is to be done; null for never.")


class ReadMarks(_Request):
    """Which notifications were read: exactly one of the two is given, and `all` is true."""

    model_config = ConfigDict(
        json_schema_extra=_without_defaults({"ids": ["01JD0000000000000000000000:1:created"]}, {"all": True})
    )

    ids: list[str] = Field(
        [],
        description="The notifications' ids; those that are not in the inbox are passed over.",
        json_schema_extra={"minItems": 1, "maxItems": limits.MARK_READ_MAX},
    )
    all: bool = Field(False, description="The whole inbox.")


class NoQuery(_Request):
    """A query string without parameters."""


class GetTaskQuery(_Request):
    """The query string of one task."""

    show_deleted: Flag = Field(False, description="Whether a deleted task is returned too.")


class ListTasksQuery(_Request):
    """The query string of a list of tasks; a task is listed when it passes all the filters."""

    page_size: Number = _PAGE_SIZE
    page_token: str = _PAGE_TOKEN
    order_by: Order = Field("create_time desc", description="The order; tasks without due_time come last in both.")
    statuses: list[Status] = Field([], description="Lists tasks in any of these statuses.")
    priorities: list[Priority] = Field([], description="Lists tasks of any of these priorities.")
    labels: list[Label] = Field(
        [], description="Lists tasks that have all of these labels.", json_schema_extra={"maxItems": limits.LABELS_MAX}
    )
    due_before: Time | None = Field(None, description="Lists tasks that are due before this time.")
    due_after: Time | None = Field(None, description="Lists tasks that are due at this time or after it.")
    query: SearchText = Field(
        "", description="Lists tasks with this text in title or description, taken literally, whatever its case."
    )
    show_deleted: Flag = Field(False, description="Whether deleted tasks are listed too.")


class ListNotificationsQuery(_Request):
    """The query string of a list of notifications."""

    page_size: Number = _PAGE_SIZE
    page_token: str = _PAGE_TOKEN
