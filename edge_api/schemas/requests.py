"""Request bodies and query strings. Unknown names and wrong types are rejected."""

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

_LINE = "at least one visible character, no control characters, no line or paragraph separators"
_PAGE_SIZE = Field(
    0,
    description=f"The maximum number of items in the page: 0 means {limits.PAGE_SIZE_DEFAULT}, more than "
    f"{limits.PAGE_SIZE_MAX} means {limits.PAGE_SIZE_MAX}. A page can have fewer items without being the last.",
    json_schema_extra={"minimum": 0},
)
_PAGE_TOKEN = Field(
    "",
    description="The next_page_token of the previous page; omit it for the first page. All other parameters except "
    "page_size must be unchanged.",
)


def _without_defaults(*examples: JsonValue) -> Callable[[dict[str, Any]], None]:
    # Some generators treat a field with a default as required; in a patch, an omitted field has no default.
    def document(schema: dict[str, Any]) -> None:
        for documented in schema["properties"].values():
            documented.pop("default", None)
        schema["examples"] = list(examples)

    return document


class _Request(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", arbitrary_types_allowed=True)


class NewTask(_Request):
    """The task to create."""

    model_config = ConfigDict(
        json_schema_extra=_without_defaults(
            {"title": "Buy milk", "labels": ["home"], "due_time": "2027-01-31T12:00:00Z"}
        )
    )

    title: Title = Field(description=f"The title: {_LINE}.")
    description: Description = Field(
        "", description="The details: no control characters except tab, line feed and carriage return."
    )
    status: Status = Field("TODO", description="The status; defaults to TODO.")
    priority: Priority = Field("MEDIUM", description="The priority; defaults to MEDIUM.")
    labels: Labels = Field(
        [], description=f"Labels to filter by; no duplicates. Each label: {_LINE}; stored in Unicode NFC."
    )
    due_time: Time | None = Field(None, description="When the task is due, from 1970 to 9999; null for no due time.")


class TaskPatch(_Request):
    """A JSON merge patch (RFC 7396) of a task: fields in the patch are changed, null clears a field."""

    model_config = ConfigDict(json_schema_extra=_without_defaults({"status": "DONE"}, {"due_time": None, "labels": []}))

    title: Title = Field("", description="The title.")
    description: Description | None = Field("", description="The details; null for none.")
    status: Status = Field("TODO", description="The status.")
    priority: Priority = Field("MEDIUM", description="The priority.")
    labels: Labels | None = Field(None, description="Labels to filter by; null for none.")
    due_time: Time | None = Field(None, description="When the task is due; null for no due time.")


class ReadMarks(_Request):
    """The notifications to mark as read: exactly one of `ids` and `all`; `all` must be true."""

    model_config = ConfigDict(
        json_schema_extra=_without_defaults({"ids": ["01JD0000000000000000000000:1:created"]}, {"all": True})
    )

    ids: list[str] = Field(
        [],
        description="The ids of the notifications; ids that are not in the inbox are ignored.",
        json_schema_extra={"minItems": 1, "maxItems": limits.MARK_READ_MAX},
    )
    all: bool = Field(False, description="Mark all notifications in the inbox.")


class NoQuery(_Request):
    """A query string without parameters."""


class GetTaskQuery(_Request):
    """The query string for one task."""

    show_deleted: Flag = Field(False, description="Whether to return the task even if it is deleted.")


class ListTasksQuery(_Request):
    """The query string for a list of tasks; a task is listed if it matches all filters."""

    page_size: Number = _PAGE_SIZE
    page_token: str = _PAGE_TOKEN
    order_by: Order = Field(
        "create_time desc", description="The order; tasks without due_time are last in both directions."
    )
    statuses: list[Status] = Field([], description="Only tasks with one of these statuses.")
    priorities: list[Priority] = Field([], description="Only tasks with one of these priorities.")
    labels: list[Label] = Field(
        [],
        description="Only tasks that have all of these labels, compared in Unicode NFC.",
        json_schema_extra={"maxItems": limits.LABELS_MAX},
    )
    due_before: Time | None = Field(None, description="Only tasks that are due before this time.")
    due_after: Time | None = Field(None, description="Only tasks that are due at this time or later.")
    query: SearchText = Field(
        "",
        description="Only tasks whose title or description contains this text, ignoring case, combining marks, and "
        "compatibility variants (Unicode NFKD). No wildcards.",
    )
    show_deleted: Flag = Field(False, description="Whether to include deleted tasks.")


class ListNotificationsQuery(_Request):
    """The query string for a list of notifications."""

    page_size: Number = _PAGE_SIZE
    page_token: str = _PAGE_TOKEN
